import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  leftoverWords,
  unseenDeed,
  unseenDifference,
  unseenScript,
  type State,
  type StateChange,
} from '../abi/index.js';
import { RigError } from '../base/errors.js';
import { stopwatch } from '../base/stopwatch.js';
import { GuestDied, sshCommand, type GuestDeath, type RunningGuest } from '../guest/index.js';
import {
  TRACE_VERSION,
  type CaseIdentity,
  type CaseTrace,
  type RunEvent,
  type SplatRecord,
  type StepFailure,
  type StepTrace,
} from '../trace/trace.js';
import type { ScenarioCase, Step } from '../scenario/index.js';
import {
  beginRecordingCalls,
  closeSteps,
  leftoversAfter,
  openSteps,
  runSteps,
  splatFailure,
  undoing,
  unmetByGuest,
  unmetByKernel,
  type StepSession,
} from '../scenario/steps/index.js';
import { findSplats, isAllowed, judge } from '../verdict/index.js';
import type { Briefing } from './briefing.js';
import { caseDebugger, WITH_A_PERSON, type CaseDebugger } from './debugger.js';
import type { GuestPool, LentGuest } from './guest-pool.js';
import { applicableBug } from './known-bug.js';
import type { PlannedCase } from './planned-case.js';

export interface CaseRun {
  readonly planned: PlannedCase;
  readonly scenarioCase: ScenarioCase;
  readonly briefing: Briefing;
  readonly pool: GuestPool;
  /** 0 for the first, counting retries */
  readonly attempt: number;
  readonly emit: (event: RunEvent) => void;
  /** runs the steps of a case that is no document; absent: those of the case, and then its cleanup */
  readonly play?: Play;
  /** debug messages and calls of the kernel are recorded */
  readonly forEvidence?: boolean;
}

/** Runs steps, and says what came of them; `failure`: what went wrong outside of the steps. Never throws. */
export type Play = (session: StepSession) => Promise<Played>;

export interface Played {
  readonly steps: readonly StepTrace[];
  readonly failure?: StepFailure;
}

/** What is known of a case when it is over; whatever went wrong is in here, nothing is thrown past it. */
interface CaseRecord {
  lent?: LentGuest;
  /** length of the console when the case began */
  consoleMark: number;
  unmet?: string;
  /** what a step said that it lacks */
  lacking?: string | undefined;
  /** of the case itself, outside its steps */
  failure?: StepFailure;
  death?: GuestDeath;
  steps: readonly StepTrace[];
  leftovers: readonly StateChange[];
  /** the same in words */
  leftBehind: readonly string[];
  /** as the guest was seen last */
  state?: State;
  /** the guest may serve another case */
  clean: boolean;
}

/**
 * One case in a guest, from lending the guest to the verdict. Its trace and logs are on disk when this returns.
 * Never throws for anything that a kernel or a guest does.
 */
export async function runCase(run: CaseRun): Promise<CaseTrace> {
  const { planned, scenarioCase, briefing, emit } = run;
  const startedAt = Date.now();
  const elapsed = stopwatch();
  const identity = identityOf(planned, scenarioCase);
  emit({ type: 'case-started', at: startedAt, case: identity });
  const record: CaseRecord = { consoleMark: 0, steps: [], leftovers: [], leftBehind: [], clean: false };
  try {
    await runInGuest(run, record);
  } catch (error) {
    blame(error, record, scenarioCase);
  }
  const trace = makeTrace(run, identity, record, { startedAt, milliseconds: elapsed() });
  await keep(trace, record, briefing);
  await release(run, trace, record);
  return trace;
}

async function runInGuest(run: CaseRun, record: CaseRecord): Promise<void> {
  const { planned, scenarioCase, briefing, emit } = run;
  const kernel = briefing.bootables.find((bootable) => bootable.kernel.profile === planned.kernel)?.kernel;
  if (!kernel) throw new RigError('kernel', `kernel ${planned.kernel} was not prepared for this run`);

  const lack = await unmetByKernel(scenarioCase, kernel, briefing.qemuVersion);
  if (lack !== undefined) {
    record.unmet = lack;
    record.clean = true;
    return;
  }
  const lent = await run.pool.lend(planned, scenarioCase, {
    // an attempt of its own owes nothing to the one before, be that one passed
    fresh: run.attempt > 0,
    onBoot: () => emit({ type: 'guest', at: Date.now(), phase: 'booting', detail: kernel.release }),
  });
  record.lent = lent;
  record.consoleMark = lent.casesBefore > 0 ? lent.guest.console.length : 0;
  emit({ type: 'guest', at: Date.now(), phase: lent.reused ? 'reused' : 'ready' });
  void lent.guest.death.then((death) => (record.death ??= death));

  const unmet = await unmetByGuest(scenarioCase, lent.guest, lent.state, kernel.abi);
  if (unmet !== undefined) {
    record.unmet = unmet;
    record.clean = true;
    return;
  }
  await runAllSteps(run, lent, kernel.abi, record);
}

async function runAllSteps(
  { scenarioCase, planned, briefing, emit, play, forEvidence = false }: CaseRun,
  lent: LentGuest,
  abi: Readonly<Record<string, string>>,
  record: CaseRecord,
): Promise<void> {
  const dir = join(briefing.runDir, planned.artifacts);
  const gdb = briefing.gdb && caseDebugger(lent.guest, { step: briefing.gdb.step, dir, emit });
  const kernelSlowness = lent.guest.spec.kernel.slowness ?? 1;
  const slowness = kernelSlowness * (briefing.gdb?.step === undefined ? 1 : WITH_A_PERSON);
  if (forEvidence) await beginRecordingCalls(lent.guest, UNSEEN_MS * slowness);
  const session = await openSteps({
    guest: lent.guest,
    plan: planned.machine,
    seed: scenarioCase.id,
    recordsCalls: forEvidence,
    abi,
    initialState: lent.state,
    emit,
    ...(gdb && { beforeStep: (id: string) => gdb.beforeStep(id) }),
    keepFile: keeperIn(join(dir, 'files')),
    findSplats,
    allowSplats: scenarioCase.allowSplats,
    deadline: gdb ? Infinity : performance.now() + scenarioCase.timeoutMs * slowness,
    slowness,
  });
  const mayBeUnseen = (play !== undefined || mayLeaveUnseen(scenarioCase)) && !planned.isOwn;
  const before = mayBeUnseen ? await unseen(lent.guest, slowness) : undefined;
  const { steps, failure } = await (play?.(session) ?? playCase(scenarioCase, session, gdb));
  record.steps = steps;
  if (failure) record.failure = failure;
  record.lacking = session.lacking;
  if (session.broken) return;
  await closeSteps(session);
  const leftovers = await leftoversAfter(session, scenarioCase.leavesNoTrace && !gdb ? undefined : 0);
  record.state = session.state;
  if (scenarioCase.leavesNoTrace) {
    record.leftovers = leftovers;
    record.leftBehind = leftoverWords(leftovers, lent.state, session.state, record.steps);
  }
  record.clean =
    leftovers.length === 0 &&
    record.steps.every(({ outcome }) => outcome !== 'fail') &&
    unseenDeed(record.steps.flatMap(({ lines }) => lines)) === undefined &&
    (before === undefined || unseenDifference(before, await unseen(lent.guest, slowness)) === undefined);
}

async function playCase(
  { steps, cleanup, leavesNoTrace }: ScenarioCase,
  session: StepSession,
  gdb: CaseDebugger | undefined,
): Promise<Played> {
  const played = await runSteps(steps, session);
  if (played.failure && !session.broken) await gdb?.afterFailure();
  if (session.broken) return { steps: played.steps };
  const cleaned = await runSteps(cleanup, session, { isCleanup: true });
  const left = leavesNoTrace ? undoing(session) : [];
  const undone = await runSteps(left, session, { isCleanup: true, after: cleanup.length });
  return { steps: [...played.steps, ...cleaned.steps, ...undone.steps] };
}

/** Files, settings and programs that no snapshot shows, as they are now. */
async function unseen(guest: RunningGuest, slowness: number): Promise<string> {
  const { stdout } = await guest.type(unseenScript(), { timeoutMs: UNSEEN_MS * slowness });
  return stdout.toString('utf8');
}

const UNSEEN_MS = 15_000;

/** Whether a step does what may be seen nowhere in the state: a program, or a write beside what the state holds. */
function mayLeaveUnseen({ steps, cleanup }: ScenarioCase): boolean {
  const may = ({ document, branches }: Step): boolean =>
    ['exec', 'cxl', 'daxctl', 'ndctl'].some((kind) => kind in document) ||
    (document.write?.path !== undefined && !IN_THE_STATE.test(document.write.path)) ||
    branches.flat().some(may);
  return [...steps, ...cleanup].some(may);
}

const IN_THE_STATE = /^\/sys\/(?:bus\/(?:cxl|dax|nd)\/devices|devices\/system\/(?:memory|node))\//;

/** Says whose fault it is that the case could not go on. */
function blame(error: unknown, record: CaseRecord, { position }: ScenarioCase): void {
  if (error instanceof GuestDied) {
    record.death ??= error.death;
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  const text = error instanceof RigError ? [message, ...error.evidence.slice(-5)].join('\n') : message;
  record.failure ??= { message: text, position, blame: 'rig' };
}

function makeTrace(
  run: CaseRun,
  identity: CaseIdentity,
  record: CaseRecord,
  time: Pick<CaseTrace, 'startedAt' | 'milliseconds'>,
): CaseTrace {
  const { planned, scenarioCase, briefing } = run;
  const { lent, leftovers } = record;
  const splats = splatsOf(record, scenarioCase);
  const release = lent?.guest.spec.kernel.release ?? '';
  const judgement = judge({
    unmet: record.unmet,
    lacking: record.lacking,
    failures: failuresOf(record),
    splats: splatsWithSteps(record, splats),
    death: record.death,
    leftovers: record.leftBehind,
    knownBug: applicableBug(scenarioCase, planned.kernel, releaseOf(briefing, planned) ?? release),
  });
  return {
    version: TRACE_VERSION,
    case: identity,
    ...judgement,
    ...time,
    ...(lent && { guest: describeGuest(lent) }),
    machine: planned.machine,
    ...(lent && { initialState: lent.state }),
    steps: record.steps,
    leftovers,
    splats,
    artifacts: planned.artifacts,
  };
}

/** Each failure once, at the step that failed: one that holds others fails as the first of them did. */
function failuresOf({ steps, failure }: CaseRecord): StepFailure[] {
  const ofSteps = steps.flatMap((step) =>
    step.failure && step.failure.step === step.id ? step.failure : [],
  );
  return [...ofSteps, ...complaints(steps), ...(failure ? [failure] : [])];
}

/** Splats in steps that failed for another reason too. */
function complaints(steps: readonly StepTrace[]): StepFailure[] {
  return steps.flatMap((step) => {
    const complaint = splatFailure(step, step.splats);
    return complaint && complaint.received !== step.failure?.received ? complaint : [];
  });
}

function splatsWithSteps({ steps }: CaseRecord, splats: readonly SplatRecord[]) {
  return splats.map((splat) => ({ ...splat, step: steps.find((one) => one.splats.includes(splat))?.id }));
}

/** Splats of the steps, and those that only the console has: of boot, of the time between steps, of a dead guest. */
function splatsOf({ steps, lent, consoleMark }: CaseRecord, scenarioCase: ScenarioCase): SplatRecord[] {
  const inSteps = steps.flatMap(({ splats }) => splats);
  const known = new Set(inSteps.map(({ fingerprint }) => fingerprint));
  const onConsole = findSplats(lent?.guest.console.since(consoleMark) ?? '').filter(
    ({ fingerprint }) => !known.has(fingerprint),
  );
  return [
    ...inSteps,
    ...onConsole.map((splat) => ({ ...splat, allowed: isAllowed(splat, scenarioCase.allowSplats) })),
  ];
}

function describeGuest({ guest, reused, casesBefore }: LentGuest): NonNullable<CaseTrace['guest']> {
  return {
    reused,
    casesBefore,
    boot: guest.start.how,
    ...(guest.start.reason !== undefined && { bootReason: guest.start.reason }),
    ...(guest.start.fellBack && { fellBack: true }),
    ...(guest.start.stalls && { stalls: guest.start.stalls }),
    bootMilliseconds: Math.round(guest.bootMilliseconds),
    accelerator: guest.accelerator,
    kernelRelease: guest.spec.kernel.release,
    kernelId: guest.spec.kernel.id,
  };
}

async function keep(trace: CaseTrace, { lent, consoleMark }: CaseRecord, briefing: Briefing): Promise<void> {
  const dir = join(briefing.runDir, trace.artifacts);
  try {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'trace.json'), JSON.stringify(trace));
    await writeFile(join(dir, 'dmesg.log'), trace.steps.map(({ log }) => log).join(''));
    if (!lent) return;
    await writeFile(join(dir, 'console.log'), lent.guest.console.since(consoleMark));
    await copyFile(join(lent.guest.spec.dir, 'qemu.sh'), join(dir, 'qemu.sh'));
  } catch (error) {
    throw new RigError(
      'trace',
      `the trace of ${trace.case.id} cannot be written: ${(error as Error).message}`,
      'make room on the disk, or give another folder with --out DIR',
    );
  }
}

const MOST_KEPT_BYTES = 256 * 2 ** 20;

/** Keeps files in a folder, each under its base name; a second one of the name gets a number before it. */
function keeperIn(folder: string): (path: string, content: Buffer) => Promise<boolean> {
  const names = new Set<string>();
  let bytes = 0;
  return async (path, content) => {
    bytes += content.length;
    if (bytes > MOST_KEPT_BYTES) return false;
    let name = basename(path);
    for (let number = 2; names.has(name); number++) name = `${number}-${basename(path)}`;
    names.add(name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), content);
    return true;
  };
}

/** Back to the pool; or, when the user asked for it, a failed case's guest stays up until the run is interrupted. */
async function release(
  { briefing, pool, emit }: CaseRun,
  trace: CaseTrace,
  record: CaseRecord,
): Promise<void> {
  const { lent } = record;
  const isBad = trace.verdict === 'fail' || trace.verdict === 'infra';
  if (lent && isBad && briefing.keepOnFailure && !record.death) {
    emit({ type: 'guest', at: Date.now(), phase: 'kept', detail: sshInstructions(lent.guest) });
    await lent.guest.death;
  }
  const clean = record.clean && !record.death && trace.splats.every(({ allowed }) => allowed);
  const { state } = record;
  await pool.giveBack({ clean, used: record.unmet === undefined, ...(state && { state }) });
}

function sshInstructions(guest: RunningGuest): string {
  return `the guest is kept until Ctrl-C; get in with: ${sshCommand(guest)}`;
}

function releaseOf(briefing: Briefing, planned: PlannedCase): string | undefined {
  return briefing.bootables.find(({ kernel }) => kernel.profile === planned.kernel)?.kernel.release;
}

function identityOf(planned: PlannedCase, scenarioCase: ScenarioCase): CaseIdentity {
  const { scenario, title, description, references, position, values } = scenarioCase;
  return {
    id: planned.key,
    scenario,
    title,
    description,
    references,
    position,
    values,
    topology: planned.machine.name,
    kernel: planned.kernel,
  };
}
