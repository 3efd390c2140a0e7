import { join, relative } from 'node:path';
import { Option, type Command } from 'commander';
import { packageRoot } from '../base/places.js';
import { plural } from '../report/plural.js';
import { withBuildTools } from '../host/install.js';
import { chooseProfiles } from '../kernel/index.js';
import { findScenarios } from '../scenario/index.js';
import { liveView, type LiveView } from '../report/live.js';
import { summaryText } from '../report/terminal.js';
import { rateText } from '../run/turns.js';
import { run, type RunOutcome, type RunRequest } from '../run/index.js';
import {
  additionsOf,
  kernelsWithTools,
  withGuestFlags,
  withSeveralTools,
  type GuestFlags,
} from './guest-flags.js';
import { abortOnInterrupt } from './interrupt.js';
import { collect } from './argument.js';
import { asBisectStep } from './bisect-step.js';
import { explain, INTERRUPTED } from './explain.js';
import { KERNEL_FLAGS_HELP, withKernelFlags, type KernelFlags } from './kernel-flags.js';
import { requestOf, withHistoryFlags, withRunFlags, type RunFlags } from './run-flags.js';
import { nextChange } from './watch.js';

interface Flags extends RunFlags, KernelFlags, GuestFlags {
  readonly tools: string[];
  readonly kernel: string[];
  readonly listSkipped?: boolean;
  readonly bisectExitCodes?: boolean;
  readonly watch?: boolean;
  readonly evidence: boolean;
}

export function registerRun(program: Command): void {
  withGuestFlags(
    withSeveralTools(
      withKernelFlags(
        withHistoryFlags(
          withRunFlags(
            program
              .command('run')
              .description('run scenarios and say with evidence what the kernel did')
              .argument(
                '[scenarios...]',
                'files, folders, or names below scenarios/ (default: all that are shipped)',
              )
              .option(
                '-k, --kernel <profile>',
                'kernel to boot (default: stock); may be given several times',
                collect,
                [],
              ),
          ),
        ),
      ),
    ),
  )
    .option(
      '--list-skipped',
      'a line for each skipped case, instead of one for each thing that the kernel lacks',
    )
    .option(
      '--no-evidence',
      'do not run what failed once more with debug messages and calls of the kernel recorded',
    )
    .addOption(
      new Option(
        '--gdb [step]',
        'stop the guest where a case fails, or before this step (3, 3.1.2, cleanup.1), and print how gdb gets at it',
      ).conflicts(['keepOnFailure', 'watch', 'repeat', 'untilFail']),
    )
    .option('--bisect-exit-codes', 'end with the codes that `git bisect run` wants')
    .addOption(
      new Option(
        '--watch',
        'stay, and run again what did not pass or what a change touches: scenarios, topologies, patches, trees',
      ).conflicts(['bisectExitCodes', 'keepOnFailure', 'lastFailed', 'repeat', 'untilFail']),
    )
    .addHelpText(
      'after',
      `${KERNEL_FLAGS_HELP}

Exit code: 0 every case passed, was skipped or failed as declared; 1 a case failed, be it flaky; 2 invalid scenario or
flag, nothing was booted; 3 the rig could not do its work; 130 interrupted.
With --bisect-exit-codes: 0 good; 1 a case failed; 125 nothing can be said of this kernel (it does not build, a patch
does not apply, no guest came up, every case was skipped); 128 stop, the command line or a scenario is invalid.
cxlrig bisect does all of it by itself.

Examples:
  cxlrig run
  cxlrig run current -t 'policy=online'
  cxlrig run my.yaml --kernel stock --kernel debian-stable --jobs 2
  cxlrig run current --patches ~/series/
  cxlrig run my.yaml --kernel-tree ~/src/linux
  cxlrig run cxl_cli --ndctl-tree ~/src/ndctl
  cxlrig run my.yaml --with fio strace
  cxlrig run my.yaml --keep-on-failure
  cxlrig run my.yaml --gdb                  gdb where it fails; --gdb 4: before step 4
  cxlrig run my.yaml --until-fail 200
  cxlrig run --last-failed
  cxlrig run my.yaml --kernel-tree ~/src/linux --kernel minimal --watch
  git bisect run cxlrig run my.yaml --kernel-tree . --kernel minimal --bisect-exit-codes`,
    )
    .action(async (scenarios: string[], flags: Flags) => {
      process.exitCode = flags.bisectExitCodes
        ? await asBisectStep(() => runCommand(scenarios, flags))
        : flags.watch
          ? await runWatching(scenarios, flags)
          : (await runCommand(scenarios, flags)).summary.exitCode;
    });
}

/**
 * Runs, and again whenever something has changed, until it is interrupted.
 * @returns the exit code of the last run
 */
async function runWatching(scenarios: readonly string[], flags: Flags): Promise<number> {
  let { exitCode } = (await runCommand(scenarios, flags)).summary;
  const watched = {
    places: [
      ...(await findScenarios(scenarios)),
      ownTopologies,
      ...(flags.patches ?? []),
      ...(flags.ndctlPatches ?? []),
    ],
    trees: [flags.kernelTree ?? [], flags.ndctlTree ?? []].flat(),
  };
  while (exitCode !== INTERRUPTED) {
    const interrupt = abortOnInterrupt();
    const change = await nextChange(watched, interrupt.signal, () =>
      process.stdout.write('\nwatching for changes; Ctrl-C ends\n'),
    ).finally(() => interrupt.release());
    if (change === undefined) break;
    process.stdout.write(`${relative(process.cwd(), change)} has changed\n`);
    try {
      ({ exitCode } = (await runCommand(scenarios, { ...flags, changed: true })).summary);
    } catch (error) {
      // it can be mended while it is watched
      exitCode = explain(error, process.stderr);
    }
  }
  return exitCode;
}

const ownTopologies = join(packageRoot, 'scenarios/topologies');

function runCommand(scenarios: readonly string[], flags: Flags): Promise<RunOutcome> {
  return withBuildTools(() => runOnce(scenarios, flags));
}

async function runOnce(scenarios: readonly string[], flags: Flags): Promise<RunOutcome> {
  const { kernelTree, patches } = flags;
  const interrupt = abortOnInterrupt();
  const view = liveView(process.stdout, { listSkipped: flags.listSkipped ?? false });
  try {
    const request: RunRequest = {
      ...requestOf(scenarios, flags, view, await additionsOf(flags)),
      evidence: flags.evidence && !flags.bisectExitCodes,
      kernels: await kernelsWithTools(
        await chooseProfiles({ profiles: flags.kernel, kernelTree, patches }),
        flags.tools,
        flags,
      ),
    };
    return await runAndTell(request, view, interrupt.signal);
  } finally {
    view.close();
    interrupt.release();
  }
}

/** Runs, and tells all of it on standard output. */
export async function runAndTell(
  request: RunRequest,
  view: LiveView,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const outcome = await run(
    request,
    {
      started(environment, cases, runDir, remark) {
        view.artifactsIn(runDir);
        const kernels = environment.kernels.map(({ profile, release }) => `${profile} ${release}`).join(', ');
        view.print(
          `kernel ${kernels}; QEMU ${environment.qemu}, ${environment.accelerator} (${environment.acceleratorReason}); ${plural(cases, 'case')}\n`,
        );
        if (remark !== undefined) view.print(`${remark}\n`);
      },
      event: ({ planned, event }) => view.event(planned.key, event),
      standing: (standing) => view.standing(standing),
    },
    signal,
  );
  view.close();
  for (const { planned, rate } of outcome.results)
    if (rate) process.stdout.write(`${planned.key}: ${rateText(rate)}\n`);
  process.stdout.write(
    `${summaryText(outcome.summary, outcome.results, outcome.runDir, { color: process.stdout.isTTY })}\n`,
  );
  return outcome;
}
