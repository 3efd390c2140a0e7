import { kernelLogEnd, observe, type KernelLogRecord, type State } from '../../abi/index.js';
import { onThisKernel, SNAPSHOT_MS, type Capture, type StepsContext, type StepSession } from './context.js';
import { findMemdevPart, memdevParts, type MemdevCapture } from './memdev-parts.js';
import { findRegionPart, follow, knownParts } from './region-parts.js';

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
    isKexeced: false,
    captures: new Map(),
    snapshots: new Map([['boot', context.initialState]]),
    ranges: new Map(),
    lastKnown: new Map(),
    hotDevices: new Map(),
    done: new Set(),
    hotAdds: 0,
    log: [],
    lastRecord: await kernelLogEnd(context.guest),
    newRecords: [],
    tracedEvents: [],
    lacking: undefined,
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

/**
 * Gives a name to something. A region's name that the kernel has just given out was another's before: what was captured
 * of that one is of what is gone. A name that is given anew (in a `repeat`) has none of the parts of what it stood for.
 */
export function keepCapture(session: StepSession, name: string, capture: Capture): void {
  const { captures, lastKnown } = session;
  for (const part of [...lastKnown.keys()]) if (part.startsWith(`${name}.`)) lastKnown.delete(part);
  for (const [other, before] of captures) {
    if (before.kind !== 'region' || capture.kind !== 'region' || before.name !== capture.name) continue;
    if (capture.isNew) captures.set(other, { ...before, isGone: true });
  }
  captures.set(name, capture);
  // what makes a region looks at it later; a memdev was seen in this state
  if (capture.kind === 'memdev') rememberMemdev(session, name, capture);
}

/** What a new snapshot tells of what was captured. */
export function remember(session: StepSession): void {
  const { state, captures, done, ranges, lastKnown, context } = session;
  for (const [name, { start, size }] of Object.entries(state.regions)) {
    if (size > 0) ranges.set(name, { start, size });
  }
  for (const deed of done) if (deed.kind === 'region') deed.region = follow(deed.region, state);
  for (const [name, capture] of captures) {
    if (capture.kind === 'memdev') rememberMemdev(session, name, capture);
    if (capture.kind !== 'region') continue;
    const region = follow(capture, state);
    captures.set(name, region);
    if (region.isGone || !(region.name in state.regions)) continue;
    for (const part of knownParts(context.plan, BLOCKS_REMEMBERED)) {
      const value = findRegionPart(region, part, state);
      if (value !== undefined) lastKnown.set(`${name}.${part}`, value);
    }
  }
}

function rememberMemdev({ state, lastKnown }: StepSession, name: string, memdev: MemdevCapture): void {
  for (const part of memdevParts) {
    const value = findMemdevPart(memdev, part.name, state);
    if (value !== undefined) lastKnown.set(`${name}.${part.name}`, value);
  }
}
