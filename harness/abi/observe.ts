import type { GuestShell } from '../guest/guest.js';
import { newMark, newRecordsScript, parseKernelLog, type KernelLogRecord } from './kernel-log.js';
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
  const { stdout } = await shell.type(stateScript(), { timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS });
  return parseState(stdout.toString('utf8'));
}

/**
 * Reads the state and the new part of the kernel log in one round trip. The log is cut after the state has been read.
 * @throws GuestTimeout, GuestDied
 */
export async function observe(shell: GuestShell, options: ObserveOptions = {}): Promise<Observation> {
  const mark = newMark();
  const { stdout } = await shell.type(`${stateScript()}\necho ${mark}\n${newRecordsScript(mark)}`, {
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  const text = stdout.toString('utf8');
  const cut = text.indexOf(`\n${mark}\n`);
  const records = parseKernelLog(cut < 0 ? '' : text.slice(cut));
  return { state: parseState(cut < 0 ? text : text.slice(0, cut)), records };
}

/**
 * Reads the new part of the kernel log alone.
 * @throws GuestTimeout, GuestDied
 */
export async function readKernelLog(
  shell: GuestShell,
  options: ObserveOptions = {},
): Promise<KernelLogRecord[]> {
  const mark = newMark();
  const { stdout } = await shell.type(newRecordsScript(mark), {
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
  return parseKernelLog(stdout.toString('utf8'));
}
