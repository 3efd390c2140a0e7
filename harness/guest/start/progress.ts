import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RigError } from '../../base/errors.js';
import { lastLines } from '../transport/console.js';
import type { Machine } from './machine.js';

/** A guest that stands still while it comes up: QEMU runs, and neither the kernel nor init gets on. */
export class Stalled extends Error {
  override readonly name = 'Stalled';
  /** @param where what it said last, and where its CPUs were */
  constructor(readonly where: string) {
    super(`the guest stood still: ${where}`);
  }
}

/** What is seen of a machine at one time, in milliseconds: of the clock, and of the host's cores that QEMU had. */
export interface ProgressSample {
  readonly at: number;
  readonly cpu: number;
  /** length of the console */
  readonly console: number;
}

/** A whole boot of a stock kernel takes 7 s of a core, and says something every 2 s of them. */
const SILENT_MS = 10_000;
/** The CPUs of a guest that waits for nothing but its timer take less of the host's cores than this share. */
const IDLE_SHARE = 0.05;
const SAMPLE_MS = 500;

/**
 * Whether the samples, oldest first, are those of a machine that stands still: it has printed nothing while it had a core
 * to itself for ten seconds, or for ten seconds in which it wanted none. A machine that others keep from running is
 * neither: it wants to, and had little.
 * @param slowness of the kernel
 */
export function standsStill(samples: readonly ProgressSample[], slowness = 1): boolean {
  const last = samples.at(-1);
  if (!last) return false;
  const silent = samples.filter(({ console }) => console === last.console);
  const cpuSince = (from: ProgressSample | undefined): number => last.cpu - (from?.cpu ?? last.cpu);
  if (cpuSince(silent[0]) >= SILENT_MS * slowness) return true;
  const window = silent.findLast(({ at }) => last.at - at >= SILENT_MS);
  return window !== undefined && cpuSince(window) < IDLE_SHARE * (last.at - window.at);
}

/**
 * What the work comes to, unless the machine stands still before it is done. The work goes on then: it ends with the machine.
 * @throws Stalled
 */
export async function unlessStalled<T>(
  machine: Machine,
  slowness: number | undefined,
  work: Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const watch = watchUntil(machine, slowness, over.signal);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, watch]);
  } finally {
    over.abort();
  }
}

async function watchUntil(
  { pid, console, qmp }: Machine,
  slowness: number | undefined,
  over: AbortSignal,
): Promise<never> {
  const samples: ProgressSample[] = [];
  for (;;) {
    const cpu = cpuMilliseconds(pid);
    // the end of QEMU is for others to tell
    if (cpu === undefined || over.aborted) return new Promise(() => undefined);
    samples.push({ at: performance.now(), cpu, console: console.length });
    if (standsStill(samples, slowness)) {
      const registers = await qmp
        .execute('human-monitor-command', { 'command-line': 'info registers -a' })
        .catch(() => '');
      const [line = 'nothing'] = lastLines(console.since(0), 1);
      throw new Stalled(`it said last "${line}"; ${cpusOf(String(registers))}`);
    }
    await sleep(SAMPLE_MS, undefined, { ref: false });
  }
}

/** `CPU 0 halted at ffffffff81a2b3c4, CPU 1 at ffffffff8100d001`, from HMP's `info registers -a`. */
export function cpusOf(registers: string): string {
  const cpus = [...registers.matchAll(/^CPU#(\d+)\s([\s\S]*?)(?=^CPU#|$(?![\s\S]))/gm)];
  const told = cpus.map(([, number, text = '']) => {
    const address = /\b[RE]IP=([0-9a-f]+)/.exec(text)?.[1] ?? 'unknown';
    return `CPU ${number} ${/\bHLT=1\b/.test(text) ? 'halted ' : ''}at ${address}`;
  });
  return told.length === 0 ? 'QEMU does not tell where its CPUs are' : told.join(', ');
}

/** Starts of one guest at most: of stalls that come by chance the second hardly stalls too. */
const STARTS = 3;

/**
 * Brings a guest up, again where it stood still.
 * @param start one attempt, which has ended its machine when it rejects
 * @throws RigError (boot) when it stood still each time, else what `start` throws
 */
export async function startedAgain<T>(
  start: () => Promise<T>,
  onStall: ((where: string) => void) | undefined,
): Promise<T> {
  const stalls: string[] = [];
  while (stalls.length < STARTS) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof Stalled)) throw error;
      stalls.push(error.where);
      onStall?.(error.where);
    }
  }
  throw new RigError(
    'boot',
    `the guest stood still at each of ${STARTS} starts before it reached init`,
    'a kernel that hangs at boot does so, and rarely QEMU: `scripts/bench stalls` tells how often',
    stalls,
  );
}

/** Of the process on the host's cores so far; undefined: it is gone. */
export function cpuMilliseconds(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ');
    const TICK_MS = 10; // USER_HZ is 100 on every Linux that QEMU runs on
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}
