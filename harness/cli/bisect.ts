import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { createColors } from '../base/colors.js';
import { UsageError } from '../base/errors.js';
import { liveView, type LiveView } from '../report/live.js';
import { caseText, seconds } from '../report/terminal.js';
import { withBuildTools } from '../host/install.js';
import { chooseProfile, KERNEL_TREE } from '../kernel/index.js';
import {
  bisect,
  type BisectEvent,
  type BisectRequest,
  type BisectResult,
  type BisectStep,
} from '../run/bisect/bisect.js';
import type { Commit, Mark } from '../run/bisect/search.js';
import { chooseTools, NDCTL_TREE, withTools } from '../tools/index.js';
import { additionsOf, withGuestFlags, withOneTools, type GuestFlags } from './guest-flags.js';
import { abortOnInterrupt } from './interrupt.js';
import { requestOf, withRunFlags, type RunFlags } from './run-flags.js';

interface BisectFlags extends RunFlags, GuestFlags {
  readonly tree?: string;
  readonly good: string;
  readonly bad: string;
  readonly kernel?: string;
  readonly tools?: string;
  readonly patches?: readonly string[];
  readonly firstParent?: boolean;
}

export function registerBisect(program: Command): void {
  withGuestFlags(
    withOneTools(
      withRunFlags(
        program
          .command('bisect')
          .description('find the commit that broke a scenario, of a kernel or of ndctl')
          .argument('<scenarios...>', 'what decides: a commit is bad when a case fails on it')
          .option('--tree <dir>', 'kernel tree with its history; nothing is written or checked out there')
          .requiredOption('--good <rev>', 'a commit on which every case passes')
          .requiredOption('--bad <rev>', 'a later one on which a case fails')
          .option(
            '-k, --kernel <profile>',
            'build each commit in the configuration of this profile (default: minimal); with --ndctl-tree the kernel of the guests (default: stock)',
          )
          .option('--patches <paths...>', 'apply series to the kernel: folders, mailboxes or patch files')
          .option('--first-parent', 'find the merge that brought it, instead of a commit within the merge')
          .option('--mirror <url>', 'Debian mirror to fetch packages from'),
      ),
    ),
  )
    .addHelpText(
      'after',
      `
git bisect searches; each commit is built, booted and asked. Both ends are tried first. Commits that don't build or
boot are skipped. --tree searches the history of a kernel, --ndctl-tree that of cxl, daxctl and ndctl.

Exit code: 0 the commit was found; 1 it is one of several that could not be tested; 2 the good commit fails, the bad
one passes, or the command line is invalid; 3 the rig could not do its work; 130 interrupted.

Examples:
  cxlrig bisect --tree ~/src/linux --good v7.2 --bad HEAD my.yaml
  cxlrig bisect --ndctl-tree ~/src/ndctl --good v81 --bad HEAD cxl_cli
  cxlrig bisect current/dax-state --tree ~/src/linux --good v7.2 --bad v7.3 -t movable --patches fix-build.patch`,
    )
    .action(async (scenarios: string[], flags: BisectFlags) => {
      process.exitCode = await withBuildTools(() => bisectCommand(scenarios, flags));
    });
}

async function bisectCommand(scenarios: readonly string[], flags: BisectFlags): Promise<number> {
  const { good, bad, firstParent = false } = flags;
  const searched = searchedTree(flags);
  const interrupt = abortOnInterrupt();
  const view = liveView(process.stdout);
  try {
    const result = await bisect(
      {
        ...searched,
        good,
        bad,
        firstParent,
        // one failure decides
        run: { ...requestOf(scenarios, flags, view, await additionsOf(flags)), bail: 1 },
      },
      (event) => showEvent(event, view),
      interrupt.signal,
    );
    view.close();
    process.stdout.write(resultText(result, process.stdout.isTTY));
    return result.culprit ? 0 : 1;
  } finally {
    view.close();
    interrupt.release();
  }
}

/** @throws UsageError unless exactly one tree is named */
function searchedTree(flags: BisectFlags): Pick<BisectRequest, 'tree' | 'kind' | 'kernelAt'> {
  const { tree, ndctlTree, ndctlPatches, tools, kernel, patches } = flags;
  if (tree !== undefined && ndctlTree !== undefined)
    throw new UsageError('--tree and --ndctl-tree name two histories to search', 'give one of them');
  if (tree !== undefined) {
    const kernelTree = resolve(tree);
    return {
      tree: kernelTree,
      kind: KERNEL_TREE,
      kernelAt: async (revision) =>
        withTools(
          await chooseProfile({ profile: kernel ?? 'minimal', kernelTree, revision, patches }),
          await chooseTools({ tools, ndctlPatches }),
        ),
    };
  }
  if (ndctlTree === undefined)
    throw new UsageError(
      'no tree is named whose history is to be searched',
      'name a kernel tree with --tree, or one of ndctl with --ndctl-tree',
    );
  return {
    tree: resolve(ndctlTree),
    kind: NDCTL_TREE,
    kernelAt: async (revision) =>
      withTools(
        await chooseProfile({ profile: kernel, patches }),
        await chooseTools({ tools, ndctlTree, revision, ndctlPatches }),
      ),
  };
}

function showEvent(event: BisectEvent, view: LiveView): void {
  switch (event.type) {
    case 'testing':
      view.print(`\n${commitLine(event.commit)}${event.left === undefined ? '' : `; ${event.left}`}`);
      return;
    case 'case':
      // what a failing case has to say is told once, at the end
      if (event.event.event.type !== 'case-ended') view.event(event.event.planned.key, event.event.event);
      return;
    case 'tested':
      view.print(stepLine(event.step));
  }
}

/** The culprit and its failing case; or the suspects; below it the log of the search. */
export function resultText({ culprit, suspects, steps }: BisectResult, color: boolean): string {
  const colors = createColors(color);
  const found = culprit
    ? [
        colors.bold(`${culprit.commit.id} is the first bad commit`),
        ...commitLines(culprit.commit),
        '',
        ...(culprit.trace ? [caseText(culprit.trace, culprit.step.runDir ?? '', { color })] : []),
      ]
    : [
        colors.bold(
          `the first bad commit could not be told: it is one of ${suspects.length}, the others of which can't be tested`,
        ),
        ...suspects.map((commit) => `  ${commitLine(commit)}`),
      ];
  const log = steps.flatMap((step) => [
    `  ${step.mark.padEnd(4)}  ${commitLine(step.commit)}`,
    ...(step.mark === 'skip' ? [`        ${step.why ?? ''}`] : []),
  ]);
  const skipped = steps.filter(({ mark }) => mark === 'skip').length;
  const total = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const head = `${steps.length} commits tested in ${seconds(total)}${skipped === 0 ? '' : `, ${skipped} of them skipped`}:`;
  return `\n${[...found, head, ...log].join('\n')}\n`;
}

function commitLines({ author, date, subject }: Commit): string[] {
  return [`Author: ${author}`, `Date:   ${date}`, '', `    ${subject}`];
}

function commitLine({ id, subject }: Commit): string {
  return `${id.slice(0, 12)} ("${subject}")`;
}

const WORD: Readonly<Record<Mark, string>> = { good: 'good', bad: 'bad', skip: 'skipped' };

function stepLine({ mark, why, milliseconds, runDir }: BisectStep): string {
  const place = runDir === undefined ? '' : `, ${relative(process.cwd(), runDir)}`;
  return `${WORD[mark]}${why === undefined ? '' : `: ${why}`} (${seconds(milliseconds)}${place})`;
}
