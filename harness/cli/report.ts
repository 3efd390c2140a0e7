import { join, relative } from 'node:path';
import { execa } from 'execa';
import { Option, type Command } from 'commander';
import { UsageError } from '../base/errors.js';
import { stackDecoder } from '../report/decode.js';
import { htmlReport } from '../report/html/index.js';
import { junit } from '../report/junit.js';
import { ktap } from '../report/ktap.js';
import { mail } from '../report/mail.js';
import { mergeRuns } from '../report/merge.js';
import { results } from '../report/results.js';
import { RUNS, findRun, readRun, type SavedRun } from '../report/saved-run.js';
import { caseText, summaryText } from '../report/terminal.js';
import { writeReports } from '../report/write.js';

type Format = 'text' | 'mail' | 'junit' | 'ktap' | 'json' | 'html';

interface ReportFlags {
  readonly format?: Format;
  readonly merge?: boolean;
  readonly out?: string;
  readonly open?: boolean;
  readonly vmlinux?: string;
}

export function registerReport(program: Command): void {
  program
    .command('report')
    .description('make the reports of a run again from its traces, or print one of them')
    .argument('[runs...]', `folders of runs, or their names below ${RUNS} (default: the newest)`)
    .addOption(
      new Option('-f, --format <format>', 'print this instead of writing the files').choices([
        'text',
        'mail',
        'junit',
        'ktap',
        'json',
        'html',
      ] satisfies Format[]),
    )
    .option('--merge', 'put several runs (shards, or different kernels) together into a new folder')
    .option('--out <dir>', `the new folder of --merge (default: below ${RUNS})`)
    .option('--open', 'show report.html in the browser')
    .option(
      '--vmlinux <file>',
      "of --format mail: the kernel's vmlinux with debug information, to name source lines",
    )
    .addHelpText(
      'after',
      `
Examples:
  cxlrig report --open
  cxlrig report --merge shard-1 shard-2 --out merged
  cxlrig report --format mail --vmlinux ~/linux/vmlinux | less
  cxlrig report 2026-11-22T18-20-05.123 --format junit > junit.xml`,
    )
    .action((names: string[], flags: ReportFlags) => report(names, flags));
}

async function report(names: readonly string[], flags: ReportFlags): Promise<void> {
  const run = await chooseRun(names, flags);
  if (flags.format !== undefined) {
    process.stdout.write(await formatted(run, flags.format, flags.vmlinux));
    return;
  }
  await writeReports(run.dir, run.summary, run.traces);
  const page = join(run.dir, 'report.html');
  process.stdout.write(`${relative(process.cwd(), page) || page}\n`);
  if (flags.open) await openInBrowser(page);
}

async function chooseRun(names: readonly string[], { merge, out }: ReportFlags): Promise<SavedRun> {
  if (!merge) {
    if (names.length > 1) {
      throw new UsageError('reports are made of one run', 'add --merge to put several together');
    }
    return readRun(await findRun(names[0]));
  }
  if (names.length < 2) throw new UsageError('--merge needs two runs or more', 'name their folders');
  const runs: SavedRun[] = [];
  for (const name of names) runs.push(await readRun(await findRun(name)));
  const now = new Date().toISOString().replaceAll(':', '-').replace('Z', '');
  return mergeRuns(runs, out ?? join(RUNS, `${now}-merged`));
}

async function formatted(run: SavedRun, format: Format, vmlinux: string | undefined): Promise<string> {
  const { dir, summary, traces } = run;
  switch (format) {
    case 'text': {
      const style = { color: process.stdout.isTTY };
      const cases = traces.map((trace) => caseText(trace, dir, style));
      return `${[...cases, summaryText(summary, traces, dir, style)].join('\n')}\n`;
    }
    case 'mail':
      return mail(summary, traces, vmlinux === undefined ? undefined : stackDecoder(vmlinux));
    case 'junit':
      return junit(summary, traces);
    case 'ktap':
      return ktap(traces);
    case 'json':
      return results(summary, traces);
    case 'html':
      return htmlReport(dir, summary, traces);
  }
}

async function openInBrowser(page: string): Promise<void> {
  const { failed, code } = await execa('xdg-open', [page], {
    reject: false,
    timeout: 15_000,
    stdio: 'ignore',
  });
  if (failed) {
    process.stderr.write(
      code === 'ENOENT'
        ? 'there is no xdg-open on this machine: open the file in a browser yourself\n'
        : 'xdg-open could not open it: open the file in a browser yourself\n',
    );
  }
}
