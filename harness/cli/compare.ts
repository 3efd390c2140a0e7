import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Option, type Command } from 'commander';
import { UsageError } from '../base/errors.js';
import {
  compare,
  comparisonMail,
  comparisonMarkdown,
  comparisonText,
  sidesOf,
  type Comparison,
  type Side,
} from '../report/compare/index.js';
import { withBuildTools } from '../host/install.js';
import { chooseProfile, type Profile } from '../kernel/index.js';
import { stackDecoder } from '../report/decode.js';
import { liveView } from '../report/live.js';
import { findRun, namesRun, readRun, type SavedRun } from '../report/saved-run.js';
import { run } from '../run/index.js';
import { chooseTools, SOURCE_PROFILE, withTools, type ToolsProfile } from '../tools/index.js';
import { INTERRUPTED } from './explain.js';
import { additionsOf, withGuestFlags, type GuestFlags } from './guest-flags.js';
import { abortOnInterrupt } from './interrupt.js';
import { withKernelFlags, type KernelFlags } from './kernel-flags.js';
import { requestOf, withHistoryFlags, withRunFlags, type RunFlags } from './run-flags.js';

type Format = 'text' | 'json' | 'markdown' | 'mail';

interface CompareFlags extends RunFlags, KernelFlags, GuestFlags {
  readonly baseTools?: string;
  readonly headTools?: string;
  readonly base?: string;
  readonly head?: string;
  readonly format: Format;
  readonly vmlinux?: string;
}

/** What chooseProfile takes when it gets patches and no profile: the stock kernel is not built here. */
const PATCHED_BY_DEFAULT = 'minimal';

/** The page of a run with two kernels, opened where they stand side by side. */
const SIDE_BY_SIDE = 'report.html#?view=compare&differences=1';

export function registerCompare(program: Command): void {
  withGuestFlags(
    withKernelFlags(
      withHistoryFlags(
        withRunFlags(
          program
            .command('compare')
            .description(
              'run scenarios on two kernels or with two cxl-cli, or take saved runs, and tell only what differs',
            )
            .argument(
              '[scenarios or runs...]',
              'scenarios as for run; or a saved run of two kernels; or two saved runs, the base first',
            )
            .option(
              '--base <profile>',
              'the kernel to compare with (default: the head without its patches; stock)',
            )
            .option('--head <profile>', 'the kernel in question')
            .option(
              '--base-tools <profile>',
              "cxl, daxctl and ndctl of the base's guests (default: as --tools of run)",
            )
            .option('--head-tools <profile>', "those of the head's guests (default: the base's)"),
        ),
      ),
    ),
  )
    .addOption(
      new Option('-f, --format <format>', 'how to print: markdown for a comment, mail for a mailing list')
        .choices(['text', 'json', 'markdown', 'mail'] satisfies Format[])
        .default('text' satisfies Format),
    )
    .option(
      '--vmlinux <file>',
      "of --format mail: the head's vmlinux with debug information, to name source lines",
    )
    .addHelpText(
      'after',
      `
--patches, --kernel-tree, --ndctl-patches and --ndctl-tree are the head's; where only tools are named, both sides have
the base's kernel. Nothing is ever written into a tree.

A case is a regression when it passes on the base and fails on the head, or only the head has a splat; a lost
ability when it passes on the base and the head lacks what it requires; a new failure when the base lacks that
and the head fails. Kernels are compared under names that do not depend on numbering, after every expect and at
the end; what differs before the first step, and small differences in time, are left out.

Exit code: 0 the head is not worse; 1 a regression, a lost ability or a new failure; 2 invalid scenario or flag;
3 some cases could not be compared and nothing is worse in the others; 130 interrupted.

Examples:
  cxlrig compare --head debian-stable current
  cxlrig compare --base stock --head minimal current/region-to-kmem
  cxlrig compare --base minimal --patches ~/series/
  cxlrig compare --base region-drivers --ndctl-patches ~/ndctl-series/ cxl_cli
  cxlrig compare --base-tools debian --head-tools region-driver cxl_cli current/cxl-cli
  cxlrig compare 2026-11-22T18-20-05.123
  cxlrig compare runs/before runs/after --format markdown > comment.md`,
    )
    .action(async (names: string[], flags: CompareFlags) => {
      process.exitCode = await compareCommand(names, flags);
    });
}

async function compareCommand(names: readonly string[], flags: CompareFlags): Promise<number> {
  const saved = await savedRuns(names);
  const runs = saved ?? [await withBuildTools(() => runBoth(names, flags))];
  if (runs.some(({ summary }) => summary.exitCode === INTERRUPTED)) return INTERRUPTED;
  // a new run has its kernels in the order in which they were asked for: the base first
  const { base, head } = sidesOf(runs, saved ? flags : {});
  const comparison = compare(base, head);
  process.stdout.write(await formatted(comparison, base, head, flags));
  const [only, another] = runs;
  if (only && !another) {
    await writeFile(join(only.dir, 'compare.json'), jsonText(comparison));
    await writeFile(join(only.dir, 'compare.md'), comparisonMarkdown(comparison));
    if (flags.format === 'text') {
      const page = relative(process.cwd(), join(only.dir, SIDE_BY_SIDE));
      process.stdout.write(`side by side: ${page}\n`);
    }
  }
  return comparison.exitCode;
}

/** The saved runs that the words name; undefined when they name scenarios. */
async function savedRuns(names: readonly string[]): Promise<SavedRun[] | undefined> {
  const areRuns = await Promise.all(names.map((name) => namesRun(name)));
  if (!areRuns.includes(true)) return undefined;
  const stranger = names[areRuns.indexOf(false)];
  if (stranger !== undefined || names.length > 2) {
    throw new UsageError(
      stranger === undefined
        ? `${names.length} runs cannot be compared at once`
        : `${stranger} is not the folder of a run, and the others are`,
      'give one run of two kernels, or two runs, the base first',
    );
  }
  return Promise.all(names.map(async (name) => readRun(await findRun(name))));
}

/** One run with both kernels: so a machine that is busy for a while is so for both. */
async function runBoth(scenarios: readonly string[], flags: CompareFlags): Promise<SavedRun> {
  const kernels = await bothSides(flags);
  const interrupt = abortOnInterrupt();
  // standard output is the comparison's own
  const view = liveView(process.stderr, { brief: true });
  try {
    const outcome = await run(
      { ...requestOf(scenarios, flags, view, await additionsOf(flags)), kernels },
      {
        started: (_environment, _cases, runDir) => view.artifactsIn(runDir),
        event: ({ planned, event }) => view.event(planned.key, event),
        standing: (standing) => view.standing(standing),
      },
      interrupt.signal,
    );
    return { dir: outcome.runDir, summary: outcome.summary, traces: [...outcome.traces] };
  } finally {
    view.close();
    interrupt.release();
  }
}

/** @throws UsageError when the two are one, or no head is named */
async function bothSides(flags: CompareFlags): Promise<[base: Profile, head: Profile]> {
  const { headTools, ndctlTree, ndctlPatches } = flags;
  const namesTools = [headTools, ndctlTree, ndctlPatches].some((flag) => flag !== undefined);
  const [kernels, tools] = await Promise.all([bothKernels(flags, namesTools), bothTools(flags)]);
  const was = withTools(kernels[0], tools[0]);
  const is = withTools(kernels[1], tools[1]);
  if (was.name === is.name)
    throw new UsageError(
      `the base and the head are both ${was.name}`,
      namesTools ? 'name two profiles of tools' : 'name two kernels',
    );
  return [was, is];
}

async function bothKernels(
  { base, head, patches, kernelTree }: CompareFlags,
  namesTools: boolean,
): Promise<[base: Profile, head: Profile]> {
  if (head === undefined && patches === undefined && kernelTree === undefined) {
    if (!namesTools)
      throw new UsageError(
        'no kernel and no tools are named to compare with',
        'name a kernel with --head, --patches or --kernel-tree, tools with --head-tools; or a saved run',
      );
    const both = await chooseProfile({ profile: base });
    return [both, both];
  }
  const onTop = head ?? (patches === undefined ? undefined : base);
  return Promise.all([
    base === undefined && patches !== undefined
      ? chooseProfile({
          profile: head ?? (kernelTree === undefined ? PATCHED_BY_DEFAULT : undefined),
          kernelTree,
        })
      : chooseProfile({ profile: base }),
    chooseProfile({ profile: onTop, patches, kernelTree }),
  ]);
}

/** Patches are compared with what they go on. */
function bothTools({
  baseTools,
  headTools,
  ndctlTree,
  ndctlPatches,
}: CompareFlags): Promise<[base: ToolsProfile | undefined, head: ToolsProfile | undefined]> {
  const onTop = headTools ?? (ndctlTree === undefined ? baseTools : undefined);
  const below = baseTools ?? (ndctlPatches === undefined ? undefined : (headTools ?? SOURCE_PROFILE));
  const isTreePatched = baseTools === undefined && ndctlTree !== undefined && ndctlPatches !== undefined;
  return Promise.all([
    chooseTools(isTreePatched ? { ndctlTree } : { tools: below }),
    chooseTools({ tools: onTop, ndctlTree, ndctlPatches }),
  ]);
}

async function formatted(
  comparison: Comparison,
  base: Side,
  head: Side,
  { format, vmlinux }: CompareFlags,
): Promise<string> {
  switch (format) {
    case 'text':
      return comparisonText(comparison, { color: process.stdout.isTTY });
    case 'json':
      return jsonText(comparison);
    case 'markdown':
      return comparisonMarkdown(comparison);
    case 'mail': {
      return comparisonMail(
        comparison,
        ({ run: dir, key }) =>
          [base, head]
            .filter(({ kernel }) => kernel.run === dir)
            .flatMap(({ cases }) => [...cases.values()])
            .find((trace) => trace.case.id === key),
        vmlinux === undefined ? undefined : stackDecoder(vmlinux),
      );
    }
  }
}

function jsonText(comparison: Comparison): string {
  return `${JSON.stringify(comparison, undefined, 2)}\n`;
}
