import { readFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { packageRoot } from '../base/places.js';
import { silent } from '../base/progress.js';
import { temporaryFolder } from '../base/owner.js';
import { bootGuest, startGuest, type GuestSpec, type RunningGuest } from '../guest/index.js';
import { cpuMilliseconds } from '../guest/start/progress.js';
import { chooseProfile } from '../kernel/index.js';
import type { CaseTrace } from '../trace/trace.js';
import { prepareBootable } from '../run/prepare.js';
import { loadTopology } from '../topology/index.js';

/** How often, and on what: the arguments of sections that measure guests of one kind. */
export function guestArguments(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      kernel: { type: 'string', default: 'stock' },
      topology: { type: 'string', default: 'one-volatile' },
    },
  });
}

/** A guest that was started for a measurement. */
export interface Measured {
  readonly guest: RunningGuest;
  /** from the call to the first answer over SSH */
  readonly milliseconds: number;
  /** that QEMU took of the host's cores; less at the mercy of what else the host does than the time on the wall */
  readonly cpuMilliseconds: number;
}

/** What boots the kernel on the topology, in the folder. */
export async function specFor(kernel: string, topology: string, dir: string): Promise<GuestSpec> {
  const bootable = await prepareBootable(await chooseProfile({ profile: kernel }), { progress: silent });
  return { ...bootable, machine: await loadTopology(topology), cmdline: [], accelerator: 'tcg', dir };
}

/** Starts a guest and tells what it cost. */
export async function measured(
  spec: GuestSpec,
  start: typeof bootGuest | typeof startGuest,
): Promise<Measured> {
  const began = performance.now();
  const guest = await start(spec);
  return { guest, milliseconds: performance.now() - began, cpuMilliseconds: cpuMilliseconds(guest.pid) ?? 0 };
}

/** Runs the work with a new folder that is gone afterwards. */
export async function inFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await temporaryFolder('bench');
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export interface TimedRun {
  readonly milliseconds: number;
  readonly traces: readonly CaseTrace[];
}

/** The command line, as it was built. */
export const command = join(packageRoot, 'dist/harness/cli/main.js');

/** `cxlrig run` with these options, from the outside; its artifacts go to the folder, which is empty. */
export async function timedRun(
  options: readonly string[],
  out: string,
  { reject }: { readonly reject: boolean },
): Promise<TimedRun> {
  const began = performance.now();
  await execa('node', [command, 'run', ...options, '--out', out], {
    reject,
    stdin: 'ignore',
  });
  const milliseconds = performance.now() - began;
  const [run = ''] = await readdir(out);
  const cases = join(out, run, 'cases');
  const texts = (await readdir(cases)).map((name) => readFile(join(cases, name, 'trace.json'), 'utf8'));
  return { milliseconds, traces: (await Promise.all(texts)).map((text) => JSON.parse(text) as CaseTrace) };
}

/** Memory of the process that it shares with no other, in MiB. */
export function privateMib(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const kib = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(([, n]) => Number(n));
  return kib.reduce((a, b) => a + b, 0) / 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `1.23 s (0.98-2.10)`: the median and the range. */
export function spread(milliseconds: readonly number[]): string {
  const seconds = (value: number): string => (value / 1000).toFixed(2);
  return `${seconds(median(milliseconds))} s (${seconds(Math.min(...milliseconds))}-${seconds(Math.max(...milliseconds))})`;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A table as the README has it. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => `| ${row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  print(lines.join('\n'));
}
