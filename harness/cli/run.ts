import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { cores } from '../base/cores.js';
import { withBuildTools } from '../host/install.js';
import { chooseProfiles } from '../kernel/index.js';
import { liveView } from '../report/live.js';
import { summaryText } from '../report/terminal.js';
import { run, type RunOutcome, type RunRequest } from '../run/index.js';
import { kernelsWithTools, withGuestFlags, withSeveralTools, type GuestFlags } from './guest-flags.js';
import { abortOnInterrupt } from './interrupt.js';
import { collect, count, regexp } from './argument.js';
import { asBisectStep } from './bisect-step.js';
import { KERNEL_FLAGS_HELP, withKernelFlags, type KernelFlags } from './kernel-flags.js';

interface RunFlags extends KernelFlags, GuestFlags {
  readonly tools: string[];
  readonly testNamePattern?: RegExp;
  readonly kernel: string[];
  readonly topology?: string;
  readonly jobs: number;
  readonly retry: number;
  readonly bail?: number | true;
  readonly shard?: { index: number; count: number };
  readonly cold?: boolean;
  readonly keepOnFailure?: boolean;
  readonly listSkipped?: boolean;
  readonly bisectExitCodes?: boolean;
  readonly accel?: 'tcg' | 'kvm';
  readonly out: string;
}

/** A guest takes a core; more than four at a time gain little, for they start and end together. */
export const defaultJobs = Math.min(4, cores());

export function registerRun(program: Command): void {
  withGuestFlags(
    withSeveralTools(
      withKernelFlags(
        program
          .command('run')
          .description('run scenarios and say with evidence what the kernel did')
          .argument(
            '[scenarios...]',
            'files, folders, or names below scenarios/ (default: all that are shipped)',
          )
          .option('-t, --test-name-pattern <regexp>', 'only cases whose id matches', regexp)
          .option(
            '-k, --kernel <profile>',
            'kernel to boot (default: stock); may be given several times',
            collect,
            [],
          ),
      ),
    ),
  )
    .option('--topology <name>', "use this topology instead of the scenario's own")
    .option('-j, --jobs <n>', 'guests at a time', count, defaultJobs)
    .option(
      '--retry <n>',
      'try a failed case so many times more, in fresh guests; one that then passes is flaky, and fails with its rate',
      count,
      0,
    )
    .option('--bail [n]', 'stop after n failures (1 when no number is given)', count)
    .option('--shard <i/n>', 'run the i-th of n parts of the cases', shard)
    .option('--cold', 'boot a guest for each case: none is resumed, none serves two')
    .option('--keep-on-failure', 'leave the guest of a failed case running and print how to get in')
    .addOption(
      new Option('--accel <name>', 'accelerator instead of the one that was found to work').choices([
        'tcg',
        'kvm',
      ]),
    )
    .option('--out <dir>', 'folder for the artifacts of runs', '.cxlrig/runs')
    .option(
      '--list-skipped',
      'a line for each skipped case, instead of one for each thing that the kernel lacks',
    )
    .option('--bisect-exit-codes', 'end with the codes that `git bisect run` wants')
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
  git bisect run cxlrig run my.yaml --kernel-tree . --kernel minimal --bisect-exit-codes`,
    )
    .action(async (scenarios: string[], flags: RunFlags) => {
      process.exitCode = flags.bisectExitCodes
        ? await asBisectStep(() => runCommand(scenarios, flags))
        : (await runCommand(scenarios, flags)).summary.exitCode;
    });
}

function runCommand(scenarios: readonly string[], flags: RunFlags): Promise<RunOutcome> {
  return withBuildTools(() => runOnce(scenarios, flags));
}

async function runOnce(scenarios: readonly string[], flags: RunFlags): Promise<RunOutcome> {
  const { kernelTree, patches } = flags;
  const interrupt = abortOnInterrupt();
  const out = resolve(flags.out);
  const view = liveView(process.stdout, { listSkipped: flags.listSkipped ?? false });
  try {
    const request: RunRequest = {
      scenarios,
      kernels: await kernelsWithTools(
        await chooseProfiles({ profiles: flags.kernel, kernelTree, patches }),
        flags.tools,
        flags,
      ),
      jobs: flags.jobs,
      retries: flags.retry,
      bail: flags.keepOnFailure ? 1 : Number(flags.bail ?? 0),
      cold: flags.cold ?? false,
      keepOnFailure: flags.keepOnFailure ?? false,
      out,
      command: process.argv.slice(2),
      progress: (update) => view.progress(update),
      ...(flags.testNamePattern && { pattern: flags.testNamePattern }),
      ...(flags.topology !== undefined && { topology: flags.topology }),
      ...(flags.shard && { shard: flags.shard }),
      ...(flags.accel && { accelerator: flags.accel }),
      ...(flags.mirror !== undefined && { mirror: flags.mirror }),
      ...(flags.with && { packages: flags.with }),
    };
    const outcome = await run(
      request,
      {
        started(environment, cases, runDir, remark) {
          view.artifactsIn(runDir);
          const kernels = environment.kernels
            .map(({ profile, release }) => `${profile} ${release}`)
            .join(', ');
          view.print(
            `kernel ${kernels}; QEMU ${environment.qemu}, ${environment.accelerator} (${environment.acceleratorReason}); ${cases} cases\n`,
          );
          if (remark !== undefined) view.print(`${remark}\n`);
        },
        event: ({ planned, event }) => view.event(planned.key, event),
      },
      interrupt.signal,
    );
    view.close();
    process.stdout.write(
      `${summaryText(outcome.summary, outcome.results, outcome.runDir, { color: process.stdout.isTTY })}\n`,
    );
    return outcome;
  } finally {
    view.close();
    interrupt.release();
  }
}

function shard(value: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(value);
  const index = Number(match?.[1]);
  const parts = Number(match?.[2]);
  if (!match || index < 1 || index > parts)
    throw new InvalidArgumentError('write it as i/n with 1 <= i <= n, such as 2/4.');
  return { index, count: parts };
}
