import { formatKernelLog, newMark, newRecordsScript, parseKernelLog } from '../../abi/index.js';
import { GuestDied, GuestTimeout } from '../../guest/guest.js';
import type { SplatRecord, StepFailure } from '../../report/trace.js';
import type { Step } from '../case.js';
import type { StepSession } from './context.js';
import { failureOf } from './judge.js';
import { look, takeRecords } from './session.js';

/** How long a stuck guest gets to say what is stuck in it. */
const LAST_WORDS_MS = 15_000;

/**
 * After a step: a snapshot, unless the step took one as its last act, and the kernel log of the step. The log comes
 * from /dev/kmsg, where a message stands when printk() has returned; of a dead guest, from the console.
 */
export async function lookAfter(
  step: Step,
  session: StepSession,
  thrown: unknown,
  consoleMark: number,
): Promise<{ readonly log: string; readonly failure?: StepFailure }> {
  // a step within this one has found that out already
  if (session.broken) return { log: '' };
  let failure: StepFailure | undefined;
  let trouble: unknown = isEnd(thrown) ? thrown : undefined;
  if (!trouble && !session.isFresh) {
    try {
      await look(session);
    } catch (error) {
      trouble = error;
      failure = failureOf(step, error);
    }
  }
  if (trouble instanceof GuestTimeout) await lastWords(session);
  const records = session.newRecords;
  session.newRecords = [];
  const log = formatKernelLog(records);
  if (trouble === undefined) return { log };
  session.broken = failureOf(step, trouble);
  const { guest } = session.context;
  return {
    log: trouble instanceof GuestDied || records.length === 0 ? guest.console.since(consoleMark) : log,
    ...(failure ? { failure } : {}),
  };
}

/** Splats in the log of a step, with what the scenario thinks of them. */
export function splatsOf(step: Step, session: StepSession, log: string): SplatRecord[] {
  if (log === '') return [];
  const allowed = [...session.context.allowSplats, ...(step.document['allow-splats'] ?? [])].map(
    (pattern) => new RegExp(pattern),
  );
  return session.context
    .findSplats(log)
    .map((splat) => ({ ...splat, allowed: allowed.some((pattern) => pattern.test(splat.title)) }));
}

export function splatFailure(step: Step, splats: readonly SplatRecord[]): StepFailure | undefined {
  const splat = splats.find(({ allowed }) => !allowed);
  return (
    splat && {
      message: `the kernel complained in this step: ${splat.title}`,
      position: step.position,
      expected: 'a clean kernel log',
      received: splat.title,
      blame: 'kernel',
    }
  );
}

/** Has the blocked tasks dumped into the kernel log, and reads what it can get of it. */
async function lastWords(session: StepSession): Promise<void> {
  const mark = newMark();
  const dump = 'echo w > /proc/sysrq-trigger; echo l > /proc/sysrq-trigger';
  try {
    const { stdout } = await session.context.guest.exec(`${dump}; ${newRecordsScript(mark)}`, {
      timeoutMs: LAST_WORDS_MS,
    });
    takeRecords(session, parseKernelLog(stdout.toString('utf8')));
  } catch {
    // it does not answer at all: the console has what there is
  }
}

function isEnd(thrown: unknown): boolean {
  return thrown instanceof GuestTimeout || thrown instanceof GuestDied;
}
