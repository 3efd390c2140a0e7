import { readdirSync, readFileSync } from 'node:fs';

/** What a process of the harness holds at a moment. */
export interface Sample {
  readonly pid: number;
  /** resident memory in MiB */
  readonly memory: number;
  readonly descriptors: number;
}

/** Early and late in the life of a process, as medians; what leaks grows from one to the other. */
export interface Growth {
  readonly memory: readonly [early: number, late: number];
  readonly descriptors: readonly [early: number, late: number];
}

/** With fewer samples a process has not lived long enough for its growth to mean anything. */
const LEAST_SAMPLES = 12;

/** The processes of Node below one, and it itself; QEMU is the guest, not the harness. */
export function sampleHarness(root: number): Sample[] {
  return descendants(root)
    .filter((pid) => readProc(pid, 'comm').startsWith('node'))
    .map((pid) => ({
      pid,
      memory: Number(/^VmRSS:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1] ?? 0) / 1024,
      descriptors: attempt(() => readdirSync(`/proc/${pid}/fd`).length, 0),
    }));
}

/**
 * The second quarter of a process's life against the last: in the first one it compiles, loads and fills its pools.
 * @returns undefined when it was short
 */
export function growthOf(samples: readonly Omit<Sample, 'pid'>[]): Growth | undefined {
  if (samples.length < LEAST_SAMPLES) return undefined;
  const quarter = Math.floor(samples.length / 4);
  const [early, late] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)];
  const both = (what: keyof Growth): [number, number] => [
    median(early.map((sample) => sample[what])),
    median(late.map((sample) => sample[what])),
  ];
  return { memory: both('memory'), descriptors: both('descriptors') };
}

/** Processes that were given a variable of the environment, which is handed down to whatever they start. */
export function processesWith(variable: string): number[] {
  return allProcesses().filter((pid) => readProc(pid, 'environ').split('\0').includes(variable));
}

function descendants(root: number): number[] {
  const parents = allProcesses().map((pid): [number, number] => [
    pid,
    Number(/^PPid:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1]),
  ]);
  const found = [root];
  for (const one of found)
    found.push(...parents.filter(([, parent]) => parent === one).map(([child]) => child));
  return found;
}

function allProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readProc(pid: number, file: string): string {
  return attempt(() => readFileSync(`/proc/${pid}/${file}`, 'utf8'), '');
}

/** A process may end while it is looked at. */
function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
