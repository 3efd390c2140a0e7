import { kernelLogEnd, observe, type KernelLogRecord, type State } from '../../abi/index.js';
import { onThisKernel, SNAPSHOT_MS, type StepsContext, type StepSession } from './context.js';
import { findRegionPart, knownParts } from './region-parts.js';

/** A region has at most so many blocks remembered by number after it is gone. */
const BLOCKS_REMEMBERED = 16;

/**
 * Begins the steps of a case: what the kernel log held before is not this case's.
 * @throws GuestTimeout, GuestDied
 */
export async function openSteps(context: StepsContext): Promise<StepSession> {
  const session: StepSession = {
    context,
    state: context.initialState,
    isFresh: true,
    captures: new Map(),
    snapshots: new Map([['boot', context.initialState]]),
    ranges: new Map(),
    lastKnown: new Map(),
    hotDevices: new Map(),
    hotAdds: 0,
    log: [],
    lastRecord: await kernelLogEnd(context.guest),
    newRecords: [],
    tracedEvents: [],
    broken: undefined,
  };
  remember(session);
  return session;
}

/**
 * Takes a snapshot and the new part of the kernel log.
 * @throws GuestTimeout, GuestDied
 */
export async function look(session: StepSession): Promise<State> {
  const { context } = session;
  const { state, records } = await observe(context.guest, {
    timeoutMs: Math.max(
      onThisKernel(context, 5_000),
      Math.min(onThisKernel(context, SNAPSHOT_MS), context.deadline - performance.now()),
    ),
  });
  session.state = state;
  session.isFresh = true;
  takeRecords(session, records);
  remember(session);
  return state;
}

/** Adds records that are new: a shell that was replaced begins at the oldest again. */
export function takeRecords(session: StepSession, records: readonly KernelLogRecord[]): void {
  const unseen = records.filter(({ sequence }) => sequence > session.lastRecord);
  session.log.push(...unseen);
  session.newRecords.push(...unseen);
  session.lastRecord = unseen.at(-1)?.sequence ?? session.lastRecord;
}

/** The kernel of a rebooted guest counts its records from 0. */
export function forgetRecords(session: StepSession): void {
  session.lastRecord = -1;
}

function remember(session: StepSession): void {
  const { state, captures, ranges, lastKnown, context } = session;
  for (const [name, { start, size }] of Object.entries(state.regions)) {
    if (size > 0) ranges.set(name, { start, size });
  }
  for (const [name, capture] of captures) {
    if (capture.kind !== 'region' || !(capture.name in state.regions)) continue;
    for (const part of knownParts(context.plan, BLOCKS_REMEMBERED)) {
      const value = findRegionPart(capture, part, state);
      if (value !== undefined) lastKnown.set(`${name}.${part}`, value);
    }
  }
}
