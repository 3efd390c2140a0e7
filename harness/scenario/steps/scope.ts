import {
  withNamesOfKernel,
  readState,
  typeLines,
  type ShLine,
  type State,
  type TypedShLine,
} from '../../abi/index.js';
import { RigError } from '../../base/errors.js';
import { stopwatch } from '../../base/stopwatch.js';
import type { ExecResult, GuestShell } from '../../guest/guest.js';
import { CutShort, GuestTimeout } from '../../guest/guest.js';
import type { SubtestResult, TypedLine } from '../../trace/trace.js';
import type { MachinePlan, MemoryDevice, PlannedDevice, PlannedMock } from '../../topology/plan.js';
import { parseDuration } from '../language/duration.js';
import {
  DEFAULT_STEP_MS,
  onThisKernel,
  ownerOf,
  POLL_FIRST_MS,
  POLL_MOST_MS,
  SNAPSHOT_MS,
  type Capture,
  type PlacedStep,
  type StepSession,
} from './context.js';
import { Refusal, Unmet, type BodyPath } from './outcome.js';
import { resolve } from './resolve.js';
import { memdevWithSerial } from './select.js';
import { keepCapture, look } from './session.js';

/** What a step kind works with: the guest, the state, the captures; everything typed is recorded. */
export interface StepScope {
  readonly session: StepSession;
  readonly step: PlacedStep;
  /** `3`, `3.1.2` */
  readonly id: string;
  readonly plan: MachinePlan;
  readonly isCleanup: boolean;
  /** one of the branches of a parallel step: snapshots are not its own */
  readonly isBranch: boolean;
  /** when this step must have ended, as performance.now() tells it */
  readonly deadline: number;
  /** the same, of one that says by itself how long it waits: that of what it is within */
  readonly outerDeadline: number;
  readonly lines: TypedLine[];
  /** what a test suite that the step ran said of its tests */
  readonly subtests: SubtestResult[];
  /** the newest snapshot; `look` takes another, `current` does so when something was done in the guest since */
  state(): State;
  current(): Promise<State>;
  look(): Promise<State>;
  /**
   * Types lines in one round trip.
   * @throws Refusal with the first line that fails
   */
  type(...lines: readonly ShLine[]): Promise<TypedShLine[]>;
  /**
   * What a text prints that only reads. No step's line, as no person would type it: it is not recorded, and what it
   * complains of is not heard.
   */
  ask(text: string): Promise<string>;
  /** Runs a text in a shell of its own, whatever its exit status. */
  exec(text: string, stdin?: string): Promise<ExecResult>;
  /** Runs a text whose output is kept elsewhere: it is recorded without it. */
  fetch(text: string): Promise<ExecResult>;
  /** @throws QmpError */
  qmp(execute: string, args?: Record<string, unknown>): Promise<unknown>;
  resolve<T>(value: T): T;
  capture(name: string | undefined, capture: Capture): void;
  /** the name that a driver has on this kernel */
  driverName(name: string): string;
  /** @throws Unmet when neither the topology nor a hot-add has it */
  device(id: string, path: BodyPath): PlannedDevice | PlannedMock;
  /** @throws Unmet when QEMU has no such device: it is a mock, or nowhere */
  qemuDevice(id: string, path: BodyPath): PlannedDevice;
  /** the memdev of a topology device, if the kernel has it now */
  memdevOf(id: string): string | undefined;
}

export interface ScopeOptions {
  readonly isCleanup: boolean;
  readonly isBranch: boolean;
  /** of the steps that this one is within, or of the case, as performance.now() tells it */
  readonly deadline: number;
}

/** What reading is given at the end of a step's time. */
const LEAST_ASKED_MS = 1_000;

export function makeScope(
  session: StepSession,
  step: PlacedStep,
  id: string,
  { isCleanup, isBranch, deadline: outer }: ScopeOptions,
): StepScope {
  const { context } = session;
  const { guest, plan, abi, emit } = context;
  // each branch has shells of its own: the one long-lived shell types one line at a time
  const shell: GuestShell = isBranch
    ? {
        exec: (line, options) => guest.exec(line, options),
        type: (line, options) => guest.exec(line, options),
      }
    : guest;
  const own = onThisKernel(context, parseDuration(step.document.timeout ?? '') ?? DEFAULT_STEP_MS);
  const deadline = Math.min(performance.now() + own, outer);
  const lines: TypedLine[] = [];
  let branchState = session.state;

  const qemuDevices = (): PlannedDevice[] => [...session.hotDevices.values(), ...plan.devices];
  const record = (line: TypedLine): void => {
    lines.push(line);
    emit({ type: 'line', at: Date.now(), step: id, line });
  };
  const timeLeft = (text: string): number => {
    const left = Math.ceil(deadline - performance.now());
    if (left <= 0) throw whoseTime(new GuestTimeout(text, own));
    return left;
  };
  const whoseTime = (error: unknown): unknown =>
    error instanceof GuestTimeout && outer <= performance.now()
      ? new CutShort(error, ownerOf(outer, context))
      : error;

  const runAlone = async (
    text: string,
    stdin: string | undefined,
    outputOf: (result: ExecResult) => Pick<TypedLine, 'stdout'>,
  ): Promise<ExecResult> => {
    session.isFresh = false;
    const at = Date.now();
    const timeoutMs = timeLeft(text);
    const result = await guest
      .exec(text, { timeoutMs, ...(stdin === undefined ? {} : { stdin }) })
      .catch((error: unknown) => {
        record(unanswered(text));
        throw whoseTime(error);
      });
    const { milliseconds, stderr, code } = result;
    record({
      text,
      channel: 'sh',
      at,
      milliseconds,
      ...outputOf(result),
      stderr: stderr.toString('utf8'),
      code,
    });
    return result;
  };

  const scope: StepScope = {
    session,
    step,
    id,
    plan,
    isCleanup,
    isBranch,
    deadline,
    outerDeadline: outer,
    lines,
    subtests: [],
    state: () => (isBranch ? branchState : session.state),
    current: async () => (!isBranch && session.isFresh ? session.state : scope.look()),
    look: async () => {
      if (!isBranch) return look(session);
      branchState = await readState(shell, { timeoutMs: onThisKernel(context, SNAPSHOT_MS) });
      return branchState;
    },
    type: async (...asked) => {
      session.isFresh = false;
      const typed = asked.map(({ text, subject }) => ({
        text: withNamesOfKernel(abi, text),
        ...(subject === undefined ? {} : { subject: withNamesOfKernel(abi, subject) }),
      }));
      const timeoutMs = timeLeft(typed.map(({ text }) => text).join('; '));
      const done = await typeLines(shell, typed, { timeoutMs }).catch((error: unknown) => {
        for (const { text } of typed) record(unanswered(text));
        throw whoseTime(error);
      });
      for (const line of done) record(asTypedLine(line));
      const last = done.at(-1);
      if (last && last.code !== 0) throw new Refusal(last);
      if (done.length < typed.length) {
        throw new RigError(
          'ssh',
          `the guest's shell ended before it was done with: ${typed[done.length]?.text ?? ''}`,
        );
      }
      return done;
    },
    ask: async (text) => {
      // an expectation may wait longer than lines may take
      const timeoutMs = Math.max(LEAST_ASKED_MS, deadline - performance.now());
      const { stdout } = await shell.type(`{\n${text}\n} 2>/dev/null`, { timeoutMs });
      return stdout.toString('utf8');
    },
    exec: (asked, stdin) =>
      runAlone(withNamesOfKernel(abi, asked), stdin, ({ stdout }) => ({ stdout: stdout.toString('utf8') })),
    fetch: (text) => runAlone(text, undefined, () => ({})),
    qmp: async (execute, args) => {
      session.isFresh = false;
      const at = Date.now();
      const elapsed = stopwatch();
      const line = {
        text: JSON.stringify({ execute, ...(args ? { arguments: args } : {}) }),
        channel: 'qmp',
        at,
      } as const;
      const answered = (stdout: string, code: number): void =>
        record({ ...line, milliseconds: elapsed(), stdout, code });
      try {
        const answer = await guest.qmp(execute, args);
        answered(JSON.stringify(answer), 0);
        return answer;
      } catch (error) {
        answered(String(error), 1);
        throw error;
      }
    },
    resolve: (value) => resolve(value, session),
    capture: (name, capture) => {
      if (name !== undefined) keepCapture(session, name, capture);
    },
    driverName: (name) => abi[name] ?? name,
    device: (id, path) => deviceOf(id, [...qemuDevices(), ...(plan.mocks ?? [])], plan, path),
    qemuDevice: (id, path) => deviceOf(id, qemuDevices(), plan, path),
    memdevOf: (id) => {
      const device = [...qemuDevices(), ...(plan.mocks ?? [])].find((one) => one.id === id);
      return device && memdevWithSerial(device.serial, scope.state());
    },
  };
  return scope;
}

function deviceOf<D extends MemoryDevice>(
  id: string,
  devices: readonly D[],
  plan: MachinePlan,
  path: BodyPath,
): D {
  const found = devices.find((one) => one.id === id);
  if (found) return found;
  const known = devices.map((one) => one.id).join(', ') || 'none';
  throw new Unmet({
    message: `the topology ${plan.name} has no device ${JSON.stringify(id)}; it has ${known}`,
    path,
    blame: 'scenario',
  });
}

/**
 * Looks at the guest until something is found there.
 * @returns undefined when it is not found within the time
 */
export async function lookUntil<T>(
  scope: Pick<StepScope, 'state' | 'look'>,
  withinMs: number,
  find: (state: State) => T | undefined,
): Promise<T | undefined> {
  const until = performance.now() + withinMs;
  for (let pause = POLL_FIRST_MS; ; pause = Math.min(pause * 1.5, POLL_MOST_MS)) {
    const found = find(scope.state());
    if (found !== undefined || performance.now() >= until) return found;
    await sleep(pause);
    await scope.look();
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** What the guest was told when it died or stuck: the kernel log says how far it came. */
function unanswered(text: string): TypedLine {
  return { text, channel: 'sh', at: Date.now(), milliseconds: 0 };
}

function asTypedLine({ text, at, milliseconds, stdout, stderr, code, errno }: TypedShLine): TypedLine {
  return {
    text,
    channel: 'sh',
    at,
    milliseconds,
    stdout,
    stderr,
    code,
    ...(errno === undefined ? {} : { errno }),
  };
}
