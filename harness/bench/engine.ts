import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { UsageError } from '../base/errors.js';
import { countGuests } from '../report/results.js';
import type { RunSummary } from '../trace/trace.js';
import {
  command,
  inFolder,
  median,
  print,
  printTable,
  privateMib,
  timedRun,
  type TimedRun,
} from './measuring.js';
import type { Section } from './section.js';

/** A row: what is measured, what it came to, and the bar that it is held to. */
type Row = readonly [what: string, figure: string, bar: string];

/** What the engine makes of guests and cores, each as a ratio or a count that another machine can be held against. */
export const engine: Section = {
  does: 'guests of a comparison, cores, a warm case, shards, memory: [comparison] [cores] [warm] [wall] [shards] [memory] [--cases N]',
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { cases: { type: 'string', default: '1000' } },
    });
    const unknown = positionals.find((name) => !Object.hasOwn(ROWS, name));
    if (unknown !== undefined)
      throw new UsageError(`there is no row ${unknown}`, `rows: ${Object.keys(ROWS).join(', ')}`);
    const rows: Row[] = [];
    for (const [name, measure] of Object.entries(ROWS)) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      print(`${name} ...`);
      rows.push(...(await measure(Number(values.cases))));
    }
    printTable([['what', 'figure', 'bar'], ...rows]);
  },
};

const ROWS: Readonly<Record<string, (cases: number) => Promise<readonly Row[]>>> = {
  comparison,
  cores,
  warm,
  wall,
  shards,
  memory,
};

/** Two kernels against each other: their cases alternate in the plan, and must not in the guests. */
async function comparison(): Promise<readonly Row[]> {
  const args = [
    ...['compare', '--base', 'stock', '--head', 'debian-stable'],
    ...['current/refuse-size', 'current/refuse-bind'],
  ];
  return inFolder(async (out) => {
    await cxlrig([...args, '--out', join(out, 'first')]); // makes the templates
    const took = await cxlrig([...args, '--out', join(out, 'second')]);
    const [run = ''] = await readdir(join(out, 'second'));
    const summary = JSON.parse(await readFile(join(out, 'second', run, 'run.json'), 'utf8')) as RunSummary;
    const { booted = 0, resumed = 0 } = summary.guests ?? {};
    const cases = Object.values(summary.counts).reduce((sum, count) => sum + count, 0);
    return [
      [`guests of a comparison of two kernels, ${cases} cases`, `${booted + resumed}`, '<= 6'],
      ['the same, whole command', seconds(took), '<= 15 s'],
    ];
  });
}

/** Cases of one file, each with a guest of its own. */
async function cores(): Promise<readonly Row[]> {
  return inFolder(async (dir) => {
    const file = join(dir, 'equal.yaml');
    await writeFile(file, EQUAL_CASES);
    const timed = async (jobs: string): Promise<number> =>
      (await runOf([file, '--jobs', jobs], join(dir, `jobs-${jobs}`))).milliseconds;
    await runOf([file], join(dir, 'first'));
    const [one, two] = [await timed('1'), await timed('2')];
    return [['8 equal cases of one file with fresh guests, -j 2 against -j 1', ratio(one, two), '>= 1.7']];
  });
}

const EQUAL_CASES = `cxlrig: 1
name: Equal cases with fresh guests
description: Each makes a region and waits as long as any other.
topology: one-volatile
boot: fresh
matrix: { n: [1, 2, 3, 4, 5, 6, 7, 8] }
steps:
  - create-region: { as: r, targets: [mem0], size: 256M }
  - exec: { sh: 'sleep 1; echo \${n}' }
cleanup:
  - destroy-region: { region: '\${r}' }
`;

async function warm(): Promise<readonly Row[]> {
  return inFolder(async (dir) => {
    const times: number[] = [];
    for (let n = 0; n < 6; n += 1)
      times.push((await runOf(['current/refuse-second-region'], join(dir, `${n}`))).milliseconds);
    return [['one warm case, whole command', seconds(median(times.slice(1))), '<= 2.2 s']];
  });
}

/** What a run takes beyond its guests' starts and its steps, when two workers share them. */
async function wall(): Promise<readonly Row[]> {
  return inFolder(async (dir) => {
    await runOf(['current', '--jobs', '2'], join(dir, 'first'));
    const { milliseconds, traces } = await runOf(['current', '--jobs', '2'], join(dir, 'second'));
    const starts = traces.flatMap(({ guest }) => (guest && !guest.reused ? guest.bootMilliseconds : 0));
    const steps = traces.flatMap((trace) => trace.steps.map((step) => step.milliseconds));
    const work = [...starts, ...steps].reduce((sum, part) => sum + part, 0);
    const { booted, resumed } = countGuests(traces);
    return [
      [
        `wall of scenarios/current (${traces.length} cases, ${booted + resumed} guests) against starts and steps by two workers`,
        ratio(milliseconds, work / 2),
        '<= 1.1',
      ],
    ];
  });
}

async function shards(): Promise<readonly Row[]> {
  return inFolder(async (dir) => {
    const times: number[] = [];
    for (const shard of ['1/3', '2/3', '3/3'])
      times.push(
        (await runOf(['--shard', shard, '--jobs', '2'], join(dir, shard.replace('/', '-')))).milliseconds,
      );
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    return [
      ['three shards of everything: longest against the mean', ratio(Math.max(...times), mean), '<= 1.15'],
    ];
  });
}

/** Memory of the command itself, read while it runs: after the first cases, and at the end. */
async function memory(cases: number): Promise<readonly Row[]> {
  return inFolder(async (dir) => {
    const turns = Math.ceil(cases / REFUSALS);
    const out = join(dir, 'out');
    await mkdir(out);
    const child = execa(
      'node',
      [command, 'run', 'current/refuse-size', '--repeat', `${turns}`, '--jobs', '2', '--out', out],
      { stdin: 'ignore', reject: false },
    );
    const samples: number[] = [];
    let ended;
    while ((ended = await Promise.race([child, sleep(SAMPLE_MS)])) === undefined)
      if (child.pid !== undefined) samples.push(mibOf(child.pid));
    const { exitCode } = ended;
    const [run = ''] = await readdir(out);
    const results = JSON.parse(await readFile(join(out, run, 'results.json'), 'utf8')) as {
      readonly cases: readonly unknown[];
    };
    // while the run goes on, and not while it makes its reports
    const tenth = Math.max(1, Math.floor(samples.length / 10));
    const early = median(samples.slice(tenth, 3 * tenth));
    const late = median(samples.slice(-3 * tenth, -tenth));
    return [
      [
        `parent's memory over ${turns * results.cases.length} cases (exit code ${exitCode ?? 'none'}): ${early.toFixed(0)} MiB, then ${late.toFixed(0)} MiB`,
        ratio(late, early),
        '<= 1.10',
      ],
    ];
  });
}

/** Cases of current/refuse-size. */
const REFUSALS = 6;
const SAMPLE_MS = 1_000;

function mibOf(pid: number): number {
  try {
    return privateMib(pid);
  } catch {
    return Number.NaN;
  }
}

/** Milliseconds of a command; its verdicts are of no interest here. */
async function cxlrig(args: readonly string[]): Promise<number> {
  const began = performance.now();
  await execa('node', [command, ...args], { reject: false, stdin: 'ignore' });
  return performance.now() - began;
}

async function runOf(args: readonly string[], out: string): Promise<TimedRun> {
  await mkdir(out);
  return timedRun(args, out, { reject: false });
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function ratio(a: number, b: number): string {
  return (a / b).toFixed(2);
}
