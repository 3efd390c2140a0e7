import { GuestTimeout, type ExecResult, type GuestShell } from '../guest/guest.js';
import {
  newestSequence,
  newMark,
  newRecordsScript,
  parseKernelLog,
  type KernelLogRecord,
} from './kernel-log.js';
import { parseState } from './parse-state.js';
import { stateScript } from './state-script.js';
import type { State } from './state.js';

export interface Observation {
  readonly state: State;
  /** records of the kernel log that this shell had not seen yet, oldest first; see `newRecordsScript` */
  readonly records: readonly KernelLogRecord[];
}

export interface ObserveOptions {
  readonly timeoutMs?: number;
}

/** A snapshot takes some 100 ms under TCG; more than this is a guest whose sysfs is stuck. */
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Reads the state in one round trip.
 * @throws GuestTimeout, GuestDied
 */
export async function readState(shell: GuestShell, options: ObserveOptions = {}): Promise<State> {
  const { stdout } = await ask(shell, stateScript(), options);
  return parseState(stdout.toString('utf8'));
}

/**
 * Reads the state and the new part of the kernel log in one round trip. The log is cut after the state has been read.
 * @throws GuestTimeout, GuestDied
 */
export async function observe(shell: GuestShell, options: ObserveOptions = {}): Promise<Observation> {
  const mark = newMark();
  const script = `${stateScript()}\necho ${mark}\n${newRecordsScript(mark)}`;
  const { stdout } = await ask(shell, script, options);
  const text = stdout.toString('utf8');
  const cut = text.indexOf(`\n${mark}\n`);
  const records = parseKernelLog(cut < 0 ? '' : text.slice(cut));
  return { state: parseState(cut < 0 ? text : text.slice(0, cut)), records };
}

/** How often the end of a log is looked for that is written faster than it can be read. */
const LOOKS_FOR_THE_END = 3;

/**
 * Sequence number of the newest record of the kernel log; -1 when it can't be read.
 * @throws GuestTimeout, GuestDied
 */
export async function kernelLogEnd(shell: GuestShell, options: ObserveOptions = {}): Promise<number> {
  for (let look = 0; look < LOOKS_FOR_THE_END; look++) {
    const { stdout } = await ask(shell, newRecordsScript(newMark()), options);
    const newest = newestSequence(stdout.toString('utf8'));
    if (newest !== undefined) return newest;
  }
  return -1;
}

async function ask(
  shell: GuestShell,
  script: string,
  { timeoutMs = DEFAULT_TIMEOUT_MS }: ObserveOptions,
): Promise<ExecResult> {
  try {
    return await shell.type(script, { timeoutMs });
  } catch (error) {
    // the script is our own affair
    throw error instanceof GuestTimeout
      ? new GuestTimeout('reading the state of the guest', timeoutMs)
      : error;
  }
}
