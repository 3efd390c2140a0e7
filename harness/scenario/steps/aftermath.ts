import { formatKernelLog, newMark, newRecordsScript, noteIntoLog, parseKernelLog } from '../../abi/index.js';
import { matches } from '../../base/pattern.js';
import { GuestDied, GuestTimeout } from '../../guest/guest.js';
import type { SplatRecord, StepFailure, StepIdentity } from '../../trace/trace.js';
import type { Step } from '../case.js';
import { onThisKernel, type StepSession } from './context.js';
import { failureOf } from './judge.js';
import { MachineStopped } from './outcome.js';
import { look, takeRecords } from './session.js';

/** sh that notes the kernel stack of every program but itself in the kernel log. */
const STACKS = [
  'echo on > /proc/sys/kernel/printk_devkmsg;',
  'for p in /proc/[0-9]*; do',
  // a kernel thread runs no file
  '[ -e $p/exe ] && [ $p != /proc/$$ ] || continue;',
  'read -r name < $p/comm;',
  `while read -r frame; do ${noteIntoLog('"stack of $name:${p#/proc/}: ${frame#* }"')}; done < $p/stack;`,
  'done 2>/dev/null',
].join(' ');

/** How long a stuck guest gets to say what is stuck in it. */
const DUMP_MS = 15_000;

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
      trouble = await reasonForSilence(error, session);
      failure = failureOf(step, trouble);
    }
  }
  if (trouble instanceof GuestTimeout) await dumpBlockedTasks(session);
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
  const allowed = [...session.context.allowSplats, ...allowedIn(step)];
  return session.context
    .findSplats(log)
    .map((splat) => ({ ...splat, allowed: allowed.some((pattern) => matches(splat.title, pattern)) }));
}

/** Branches have no log of their own: what a step within one allows, the whole step does. */
function allowedIn({ document, branches }: Step): readonly string[] {
  return [...(document['allow-splats'] ?? []), ...branches.flat().flatMap(allowedIn)];
}

export function splatFailure(
  step: Pick<StepIdentity, 'id' | 'position'>,
  splats: readonly SplatRecord[],
): StepFailure | undefined {
  const splat = splats.find(({ allowed }) => !allowed);
  return (
    splat && {
      message: `the kernel complained in this step: ${splat.title}`,
      position: step.position,
      expected: 'a clean kernel log',
      received: splat.title,
      step: step.id,
      blame: 'kernel',
    }
  );
}

/** Why a guest did not answer in time, as far as that can be seen from outside. */
export async function reasonForSilence(thrown: unknown, session: StepSession): Promise<unknown> {
  if (!(thrown instanceof GuestTimeout)) return thrown;
  const answer = await session.context.guest.qmp('query-status').catch(() => undefined);
  const status = (answer as { readonly status?: unknown } | undefined)?.status;
  if (typeof status !== 'string' || status === 'running') return thrown;
  return new MachineStopped(status, thrown.line);
}

/**
 * Has the blocked tasks dumped into the kernel log, with what every program waits for, and reads what it can get of it.
 * `w` shows tasks in D state only; a program that waits forever in another state has a stack to show as well.
 */
async function dumpBlockedTasks(session: StepSession): Promise<void> {
  const mark = newMark();
  const dump = `echo w > /proc/sysrq-trigger; echo l > /proc/sysrq-trigger; ${STACKS}`;
  try {
    const { stdout } = await session.context.guest.exec(`${dump}; ${newRecordsScript(mark)}`, {
      timeoutMs: onThisKernel(session.context, DUMP_MS),
    });
    takeRecords(session, parseKernelLog(stdout.toString('utf8')));
  } catch {
    // it does not answer at all: the console has what there is
  }
}

function isEnd(thrown: unknown): boolean {
  return thrown instanceof GuestTimeout || thrown instanceof MachineStopped || thrown instanceof GuestDied;
}
