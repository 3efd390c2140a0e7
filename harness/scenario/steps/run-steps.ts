import { diffStates } from '../../abi/index.js';
import { stopwatch } from '../../base/stopwatch.js';
import type { CutShort } from '../../guest/guest.js';
import type { StepFailure, StepIdentity, StepTrace } from '../../trace/trace.js';
import type { Step } from '../case.js';
import { simpleSteps, type StepDefinition } from '../kinds/index.js';
import { kindOf, stepKinds, type StepDocument, type StepKind } from '../language/language.js';
import { describeStep } from '../language/title.js';
import { takeCalls } from './calls.js';
import { DEFAULT_WITHIN_MS, onThisKernel, ownerOf, type StepSession } from './context.js';
import { judge, timeIsOver, type AllowedErrnos } from './judge.js';
import { InnerFailure, Lacking, NothingToDo, Unmet, Unresolved } from './outcome.js';
import { resolve, resolveAs, resolveWhatIsKnown } from './resolve.js';
import { lookUntil, makeScope, type ScopeOptions, type StepScope } from './scope.js';
import { reasonForSilence, lookAfter, splatFailure, splatsOf } from './aftermath.js';
import { expectedEvents, startTracingLines, unknownEvent } from './tracing.js';
import { turnsOf } from './turns.js';
import { toCount } from './values.js';

export interface StepsResult {
  /** in the order of the case; steps within a step follow it */
  readonly steps: readonly StepTrace[];
  /** of the first step that failed */
  readonly failure?: StepFailure;
}

export interface RunStepsOptions {
  /** every step is run whatever became of the others; one whose captures were never made is skipped */
  readonly isCleanup?: boolean;
  /** so many steps of the cleanup were run before these */
  readonly after?: number;
}

/**
 * Runs the steps of a case, one after the other, until one fails. Never throws for what a guest does: a dead or stuck
 * guest is a failure of the step, and `session.broken` says that no more can be done with it.
 */
export async function runSteps(
  steps: readonly Step[],
  session: StepSession,
  { isCleanup = false, after = 0 }: RunStepsOptions = {},
): Promise<StepsResult> {
  const options = { isCleanup, isBranch: false, deadline: session.context.deadline };
  const prologue = isCleanup ? [] : await beginTracing(steps, session, options);
  const failure = prologue[0]?.failure;
  if (failure)
    return { steps: [...prologue, ...steps.map((step, index) => skipped(step, `${index + 1}`))], failure };
  const result = await runList(steps, isCleanup ? 'cleanup.' : '', session, options, after);
  return { ...result, steps: [...prologue, ...result.steps] };
}

/**
 * Runs one step of a case whose further steps nobody knows yet.
 * @param id `3`, `cleanup.1`
 * @returns its trace, and after it those of the steps within it
 */
export async function runNextStep(
  step: Step,
  id: string,
  session: StepSession,
  { isCleanup = false }: RunStepsOptions = {},
): Promise<readonly [own: StepTrace, ...inner: StepTrace[]]> {
  if (session.broken) return [skipped(step, id)];
  return runOne(step, id, session, { isCleanup, isBranch: false, deadline: session.context.deadline });
}

/** Events that expectations speak about are recorded from before the first step on: a step of its own, numbered 0. */
async function beginTracing(
  steps: readonly Step[],
  session: StepSession,
  options: ScopeOptions,
): Promise<readonly StepTrace[]> {
  const events = expectedEvents(steps);
  const [first] = steps;
  if (events.length === 0 || !first) return [];
  session.tracedEvents = events;
  const { position } = first;
  const document = {
    name: `record the trace events ${events.join(', ')}`,
    exec: { sh: startTracingLines(events).join(' && ') },
  };
  const [own] = await runOne({ document, position, at: () => position, branches: [] }, '0', session, options);
  const unknown = own.failure && unknownEvent(steps, own.failure);
  return [unknown ? { ...own, failure: { ...unknown, step: own.id } } : own];
}

async function runList(
  steps: readonly Step[],
  prefix: string,
  session: StepSession,
  options: ScopeOptions,
  after = 0,
): Promise<StepsResult> {
  const traces: StepTrace[] = [];
  let failure: StepFailure | undefined;
  for (const [index, step] of steps.entries()) {
    const id = `${prefix}${after + index + 1}`;
    const isOver = failure !== undefined || session.lacking !== undefined;
    if (session.broken || (isOver && !options.isCleanup)) {
      traces.push(skipped(step, id));
      continue;
    }
    const [own, ...inner] = await runOne(step, id, session, options);
    traces.push(own, ...inner);
    failure ??= own.failure;
  }
  return { steps: traces, ...(failure ? { failure } : {}) };
}

type Traces = [own: StepTrace, ...inner: StepTrace[]];

/** One step: what it does, then one snapshot with the part of the kernel log that came meanwhile. */
async function runOne(step: Step, id: string, session: StepSession, options: ScopeOptions): Promise<Traces> {
  const { emit, guest } = session.context;
  const identity = identityOf(step, id);
  await session.context.beforeStep?.(id);
  const startedAt = Date.now();
  const elapsed = stopwatch();
  emit({ type: 'step-started', at: startedAt, step: identity });
  const scope = makeScope(session, step, id, options);
  const before = session.state;
  const marks = { console: guest.console.length, qmp: guest.qmpTraffic.length };
  const inner: StepTrace[] = [];
  let document: StepDocument;
  let thrown: unknown;
  let allowed: AllowedErrnos = { fails: [], mayFail: [] };
  try {
    if (options.deadline <= performance.now()) throw overtime(ownerOf(options.deadline, session.context));
    allowed = errnosOf(step, session);
    document = await carryOut(step, scope, inner, options);
  } catch (error) {
    thrown = await reasonForSilence(error, session);
    document = resolveWhatIsKnown(step.document, session);
  }
  if (thrown instanceof Lacking) session.lacking ??= thrown.message;
  const isSkipped =
    thrown instanceof NothingToDo ||
    thrown instanceof Lacking ||
    (options.isCleanup && thrown instanceof Unresolved);
  let failure = isSkipped ? undefined : judge(step, allowed, thrown);
  let log = '';
  if (!options.isBranch) {
    const seen = await lookAfter(step, session, thrown, marks.console);
    failure ??= seen.failure;
    log = seen.log;
  }
  const calls = await callsOf(session, options);
  const splats = options.isBranch ? [] : splatsOf(step, session, log);
  failure ??= splatFailure(identity, splats);
  // one within it has its own already
  if (failure && failure.step === undefined) failure = { ...failure, step: id };
  const trace: StepTrace = {
    ...identity,
    title: describeStep(document),
    startedAt,
    milliseconds: elapsed(),
    outcome: failure ? 'fail' : isSkipped ? 'skipped' : 'pass',
    lines: scope.lines,
    changes: options.isBranch ? [] : diffStates(before, session.state),
    log,
    splats,
    qmp: options.isBranch ? [] : guest.qmpTraffic.slice(marks.qmp),
    document,
    ...(calls === '' ? {} : { calls }),
    ...(scope.subtests.length > 0 ? { subtests: scope.subtests } : {}),
    ...(failure ? { failure } : {}),
  };
  emit({ type: 'step-ended', at: Date.now(), step: trace });
  return [trace, ...inner];
}

async function callsOf({ context, broken }: StepSession, { isBranch }: ScopeOptions): Promise<string> {
  if (!context.recordsCalls || isBranch || broken) return '';
  return takeCalls(context.guest, onThisKernel(context, CALLS_MS)).catch(() => '');
}

const CALLS_MS = 15_000;

function errnosOf({ document: { fails, 'may-fail': mayFail } }: Step, session: StepSession): AllowedErrnos {
  const [must, may] = [fails, mayFail].map((errnos) => resolve([errnos ?? []].flat(), session));
  return { fails: must ?? [], mayFail: may ?? [] };
}

/** @returns the step's document as it was carried out */
async function carryOut(
  step: Step,
  scope: StepScope,
  inner: StepTrace[],
  options: ScopeOptions,
): Promise<StepDocument> {
  const kind = kindOf(step.document);
  if (kind === 'parallel' || kind === 'repeat') {
    // what is within it has the time that it is given; without a time of its own, that of what it is within itself
    const deadline = step.document.timeout === undefined ? options.deadline : scope.deadline;
    return { parallel: runBranches, repeat: repeatSteps }[kind](step, scope, inner, { ...options, deadline });
  }
  const definition: StepDefinition = simpleSteps[kind];
  const written = step.document[kind];
  const body = definition.putsInCapturesItself ? written : await putInCaptures(kind, written, scope);
  await definition.run(body, scope);
  return {
    ...step.document,
    [kind]: definition.putsInCapturesItself ? resolveWhatIsKnown(body, scope.session) : body,
  };
}

/** Puts captures in; what a captured region still lacks (its dax device, its node) may be on its way. */
async function putInCaptures(kind: StepKind, body: unknown, scope: StepScope): Promise<unknown> {
  let reason: unknown;
  const attempt = (): { body: unknown } | undefined => {
    try {
      return { body: resolveAs<unknown>(stepKinds[kind], body, scope.session) };
    } catch (error) {
      if (!(error instanceof Unresolved)) throw error;
      reason = error;
      return undefined;
    }
  };
  const within = scope.isCleanup ? 0 : onThisKernel(scope.session.context, DEFAULT_WITHIN_MS);
  const found = await lookUntil(scope, within, attempt);
  if (!found) throw reason;
  return found.body;
}

/** Branches run at once, each line in a shell of its own; all are waited for. Their traces come in the order of the file. */
async function runBranches(
  step: Step,
  scope: StepScope,
  inner: StepTrace[],
  options: ScopeOptions,
): Promise<StepDocument> {
  const turns = turnsOf(step.document.loop, scope);
  for (let turn = 1; turns.goesOn(turn); turn++) {
    const prefix = turns.loop ? `${scope.id}.${turn}.` : `${scope.id}.`;
    const results = await Promise.all(
      step.branches.map(async (branch, index) => {
        await turns.wait();
        return runList(branch, `${prefix}${index + 1}.`, scope.session, { ...options, isBranch: true });
      }),
    );
    scope.session.isFresh = false;
    inner.push(...results.flatMap(({ steps }) => steps));
    throwFirst(results, (message) => turns.told(message, turn));
  }
  return turns.loop ? { ...step.document, loop: turns.loop } : step.document;
}

async function repeatSteps(
  step: Step,
  scope: StepScope,
  inner: StepTrace[],
  options: ScopeOptions,
): Promise<StepDocument> {
  const body = step.document.repeat;
  const times = toCount(scope.resolve(body?.times ?? 0), ['times']);
  for (let turn = 0; turn < times; turn++) {
    scope.capture(body?.as, { kind: 'value', value: turn });
    const result = await runList(step.branches[0] ?? [], `${scope.id}.${turn + 1}.`, scope.session, options);
    inner.push(...result.steps);
    throwFirst([result]);
  }
  return step.document;
}

function throwFirst(
  results: readonly StepsResult[],
  tell: (message: string) => string = (message) => message,
): void {
  const failure = results.find((result) => result.failure)?.failure;
  if (failure) throw new InnerFailure({ ...failure, message: tell(failure.message) });
}

function identityOf(step: Step, id: string): StepIdentity {
  return { id, title: describeStep(step.document), kind: kindOf(step.document), position: step.position };
}

function skipped(step: Step, id: string): StepTrace {
  return {
    ...identityOf(step, id),
    startedAt: Date.now(),
    milliseconds: 0,
    outcome: 'skipped',
    lines: [],
    changes: [],
    log: '',
    splats: [],
    qmp: [],
  };
}

function overtime(of: CutShort['of']): Unmet {
  return new Unmet({
    message: timeIsOver(of),
    path: [],
    expected: 'an end in time',
    received: 'no end yet',
  });
}
