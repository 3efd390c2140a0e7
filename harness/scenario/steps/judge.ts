import { canonicalErrno, type TypedShLine } from '../../abi/index.js';
import { RigError, UsageError } from '../../base/errors.js';
import { CutShort, GuestDied, GuestTimeout, QmpError } from '../../guest/guest.js';
import type { Blame, StepFailure } from '../../trace/trace.js';
import type { Step } from '../case.js';
import { kindOf, type StepKind } from '../language/language.js';
import { InnerFailure, Refusal, MachineStopped, Unmet, Unresolved } from './outcome.js';

/** Deaths of a guest that the kernel under test is to blame for. */
const KERNEL_DEATHS: readonly string[] = ['panic', 'shutdown'];

/**
 * What came of a step, given what it threw (undefined: nothing) and the errnos that it must, or may, fail with.
 * @returns undefined when it did what the scenario says
 */
export function judge(step: Step, allowed: AllowedErrnos, thrown: unknown): StepFailure | undefined {
  if (thrown === undefined) return allowed.fails.length === 0 ? undefined : notRefused(step, allowed.fails);
  if (thrown instanceof Refusal) return judgeRefusal(step, allowed, thrown);
  return failureOf(step, thrown);
}

export interface AllowedErrnos {
  readonly fails: readonly string[];
  readonly mayFail: readonly string[];
}

/** A failure that no `fails` speaks about. */
export function failureOf(step: Step, thrown: unknown): StepFailure {
  if (thrown instanceof InnerFailure) return thrown.failure;
  const kind = kindOf(step.document);
  const { position } = step;
  if (thrown instanceof Unmet) {
    const { message, path, expected, received, subject, blame } = thrown.mismatch;
    return {
      message,
      position: step.at(kind, ...path),
      ...(expected === undefined ? {} : { expected }),
      ...(received === undefined ? {} : { received }),
      ...(subject === undefined ? {} : { subject }),
      blame: blame ?? 'kernel',
    };
  }
  if (thrown instanceof Unresolved) {
    return {
      message: thrown.message,
      position,
      expected: `a value for \${${thrown.reference}}`,
      received: 'none',
      subject: `\${${thrown.reference}}`,
      blame: thrown.blame,
    };
  }
  if (thrown instanceof GuestTimeout) {
    return {
      message:
        thrown instanceof CutShort
          ? `${timeIsOver(thrown.of)}, and this has not returned: ${firstLine(thrown.line)}`
          : `did not return within ${Math.round(thrown.timeoutMs / 1000)} s: ${firstLine(thrown.line)}`,
      position,
      expected: 'the line returns',
      received: 'it did not',
      subject: firstLine(thrown.line),
      blame: 'kernel',
    };
  }
  if (thrown instanceof MachineStopped) {
    const asleep = thrown.status === 'suspended';
    return {
      message: `${asleep ? 'the guest has suspended itself' : thrown.message}, so this has no answer: ${firstLine(thrown.line)}`,
      position,
      expected: 'a machine that runs',
      received: thrown.status,
      subject: firstLine(thrown.line),
      // only the guest can suspend itself; what else stops a machine stands outside
      blame: asleep ? 'kernel' : 'emulator',
    };
  }
  if (thrown instanceof GuestDied) {
    const { kind: death, message } = thrown.death;
    return {
      message: `the guest died in this step: ${message}`,
      position,
      expected: 'a guest that lives',
      received: death,
      blame: KERNEL_DEATHS.includes(death) ? 'kernel' : death === 'ssh' ? 'rig' : 'emulator',
    };
  }
  return { message: rigMessage(thrown), position, blame: blameFor(thrown) };
}

function judgeRefusal(
  step: Step,
  { fails, mayFail }: AllowedErrnos,
  refusal: Refusal,
): StepFailure | undefined {
  const { line } = refusal;
  const received = line.errno ?? `exit status ${line.code}`;
  const errnos = [...fails, ...mayFail];
  if (line.errno !== undefined && errnos.map(canonicalErrno).includes(line.errno)) return undefined;
  const key = fails.length > 0 ? 'fails' : mayFail.length > 0 ? 'may-fail' : undefined;
  const outcomes = fails.length > 0 ? fails : ['success', ...mayFail];
  const verb = key === 'fails' ? 'must' : 'may';
  const blame = refuserOf(kindOf(step.document), line);
  return {
    message:
      key === undefined
        ? `${REFUSED_BY[blame]}${refusal.message}`
        : `failed in another way than it ${verb}: ${refusal.message}`,
    position: key === undefined ? step.at(kindOf(step.document)) : step.at(key),
    expected: outcomes.length === 1 ? outcomes[0] : `one of ${outcomes.join(', ')}`,
    received,
    subject: line.subject ?? line.text,
    blame,
  };
}

type Refuser = 'kernel' | 'tool' | 'scenario';

const REFUSED_BY: Readonly<Record<Refuser, string>> = {
  kernel: '',
  tool: 'the tool refused, and names no error of the kernel: ',
  scenario: 'this cannot be run as it is written: ',
};

/** What programs of cxl-cli, daxctl and ndctl say of arguments that they do not know, before they ask the kernel. */
const USAGE = /^\s*(?:Error: unknown (?:option|switch)|Unknown command|usage:)/im;
/** Of parse-options, which the three have from git. */
const USAGE_STATUS = 129;
/** A shell's, for a program that is not there or can't be run. */
const NO_PROGRAM = [126, 127];

/** Who refused a line: only an errno shows that it was the kernel; a shell's script may be about anything in it. */
function refuserOf(kind: StepKind, { errno, code, stderr }: TypedShLine): Refuser {
  if (NO_PROGRAM.includes(code)) return 'scenario';
  if (errno !== undefined || !TOOLS.includes(kind)) return 'kernel';
  return code === USAGE_STATUS || USAGE.test(stderr) ? 'scenario' : 'tool';
}

const TOOLS: readonly StepKind[] = ['cxl', 'daxctl', 'ndctl'];

function notRefused(step: Step, fails: readonly string[]): StepFailure {
  return {
    message: `must fail with ${fails.join(' or ')}, and succeeded`,
    position: step.at('fails'),
    expected: fails.length === 1 ? fails[0] : fails,
    received: 'success',
    blame: 'kernel',
  };
}

function blameFor(thrown: unknown): Blame {
  if (thrown instanceof QmpError) return 'emulator';
  return thrown instanceof UsageError ? 'scenario' : 'rig';
}

function rigMessage(thrown: unknown): string {
  if (thrown instanceof RigError || thrown instanceof UsageError || thrown instanceof QmpError)
    return thrown.message;
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

export function timeIsOver(of: CutShort['of']): string {
  return of === 'step' ? 'the time of the step that this one is within is over' : "the case's time is over";
}

function firstLine(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
