import { writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
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
import { stackDecoder } from '../report/decode.js';
import { liveView } from '../report/live.js';
import { findRun, namesRun, readRun, RUNS, type SavedRun } from '../report/saved-run.js';
import { run } from '../run/index.js';
import { INTERRUPTED } from './explain.js';
import { abortOnInterrupt } from './interrupt.js';
import { caseFlags, type CaseFlags } from './case-flags.js';

type Format = 'text' | 'json' | 'markdown' | 'mail';

interface CompareFlags extends CaseFlags {
  readonly base?: string;
  readonly head?: string;
  readonly format: Format;
  readonly vmlinux?: string;
}

/** The page of a run with two kernels, opened where they stand side by side. */
const SIDE_BY_SIDE = 'report.html#?view=compare&differences=1';

export function registerCompare(program: Command): void {
  const command = program
    .command('compare')
    .description('run scenarios on two kernels, or take saved runs, and tell only what differs')
    .argument('[scenarios or runs...]', `scenarios as for run; or one saved run of two kernels; or two runs, the base first`)
    .option('--base <profile>', 'the kernel to compare with (default: stock)')
    .option('--head <profile>', 'the kernel in question')
    .addOption(
      new Option('-f, --format <format>', 'how to print: markdown for a comment, mail for a mailing list')
        .choices(['text', 'json', 'markdown', 'mail'] satisfies Format[])
        .default('text' satisfies Format),
    )
    .option(
      '--vmlinux <file>',
      "of --format mail: the head's vmlinux with debug information, to name source lines",
    );
  caseFlags(command)
    .addHelpText(
      'after',
      `
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
  cxlrig compare 2026-11-22T18-20-05.123
  cxlrig compare runs/before runs/after --format markdown > comment.md`,
    )
    .action(async (names: string[], flags: CompareFlags) => {
      process.exitCode = await compareCommand(names, flags);
    });
}

async function compareCommand(names: readonly string[], flags: CompareFlags): Promise<number> {
  const saved = await savedRuns(names);
  const runs = saved ?? [await runBoth(names, flags)];
  if (runs.some(({ summary }) => summary.exitCode === INTERRUPTED)) return INTERRUPTED;
  const { base, head } = sidesOf(runs, saved ? flags : kernelsOf(flags));
  const comparison = compare(base, head);
  process.stdout.write(await formatted(comparison, base, head, flags));
  const [first, second] = runs;
  if (first && !second) {
    await keep(first.dir, comparison);
    if (flags.format === 'text')
      process.stdout.write(`report   ${relative(process.cwd(), join(first.dir, SIDE_BY_SIDE))}\n`);
  }
  return comparison.exitCode;
}
