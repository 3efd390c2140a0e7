import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { createColors } from '../base/colors.js';
import { liveView, type LiveView } from '../report/live.js';
import { RUNS } from '../report/saved-run.js';
import { caseText, seconds } from '../report/terminal.js';
import { withBuildTools } from '../host/install.js';
import { bisect, type BisectEvent, type BisectResult, type BisectStep } from '../run/bisect/bisect.js';
import type { Commit, Mark } from '../run/bisect/search.js';
import { count, regexp } from './argument.js';
import { abortOnInterrupt } from './interrupt.js';
import { defaultJobs } from './run.js';

interface BisectFlags {
  readonly tree: string;
  readonly good: string;
  readonly bad: string;
  readonly kernel?: string;
  readonly patches?: readonly string[];
  readonly firstParent?: boolean;
  readonly testNamePattern?: RegExp;
  readonly topology?: string;
  readonly retry: number;
  readonly mirror?: string;
  readonly out: string;
}

export function registerBisect(program: Command): void {
  program
    .command('bisect')
    .description('find the commit that broke a scenario')
    .argument('<scenarios...>', 'what decides: a commit is bad when a case fails on it')
    .requiredOption('--tree <dir>', 'kernel tree with its history; nothing is written or checked out there')
    .requiredOption('--good <rev>', 'a commit on which every case passes')
    .requiredOption('--bad <rev>', 'a later one on which a case fails')
    .option('-k, --kernel <profile>', 'build each commit in the configuration of this profile', 'minimal')
    .option('--patches <paths...>', 'apply series to each commit: folders, mailboxes or patch files')
    .option('--first-parent', 'find the merge that brought it, instead of a commit within the merge')
    .option('-t, --test-name-pattern <regexp>', 'only cases whose id matches', regexp)
    .option('--topology <name>', "use this topology instead of the scenario's own")
    .option('--retry <n>', 'try a failed case again so many times', count, 0)
    .option('--mirror <url>', 'Debian mirror to fetch packages from')
    .option('--out <dir>', 'folder for the artifacts of runs', RUNS)
    .addHelpText(
      'after',
      `
git bisect searches; each commit is built, booted and asked. Both ends are tried first. Commits that don't build or
boot are skipped.

Exit code: 0 the commit was found; 1 it is one of several that could not be tested; 2 the good commit fails, the bad
one passes, or the command line is invalid; 3 the rig could not do its work; 130 interrupted.

Examples:
  cxlrig bisect --tree ~/src/linux --good v7.2 --bad HEAD my.yaml
  cxlrig bisect current/dax-state --tree ~/src/linux --good v7.2 --bad v7.3 -t movable --patches fix-build.patch`,
    )
    .action(async (scenarios: string[], flags: BisectFlags) => {
      process.exitCode = await withBuildTools(() => bisectCommand(scenarios, flags));
    });
}

async function bisectCommand(scenarios: readonly string[], flags: BisectFlags): Promise<number> {
  const { tree, good, bad, kernel, patches = [], firstParent = false } = flags;
  const interrupt = abortOnInterrupt();
  const view = liveView(process.stdout);
  try {
    const result = await bisect(
      {
        tree: resolve(tree),
        good,
        bad,
        firstParent,
        profile: kernel,
        patches,
        run: {
          scenarios,
          jobs: defaultJobs,
          retries: flags.retry,
          // one failure decides
          bail: 1,
          keepOnFailure: false,
          out: resolve(flags.out),
          command: process.argv.slice(2),
          progress: (update) => view.progress(update),
          ...(flags.testNamePattern && { pattern: flags.testNamePattern }),
          ...(flags.topology !== undefined && { topology: flags.topology }),
          ...(flags.mirror !== undefined && { mirror: flags.mirror }),
        },
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
