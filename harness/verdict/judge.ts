/** The six verdicts; what each means for a run stands in `exitCode`. */
export type Verdict = 'pass' | 'fail' | 'skip' | 'known-bug' | 'fixed' | 'infra';

/**
 * Who is to blame for a failure: the kernel under test; a tool in the guest, which refused by itself; what the scenario
 * itself says; QEMU; or the rest of the rig. Only the first two fail a case, with the others nothing was learnt.
 */
export type Blame = 'kernel' | 'tool' | 'scenario' | 'emulator' | 'rig';

/** A step, or something else of a case, that failed. */
export interface Failure {
  readonly message: string;
  readonly blame: Blame;
  /** id of the step */
  readonly step?: string;
  readonly received?: unknown;
}

export interface Splat {
  readonly title: string;
  readonly allowed: boolean;
  /** id of the step in which it came; absent: in none */
  readonly step?: string | undefined;
}

/** What is known of a case when it is over. */
export interface CaseFacts<F extends Failure = Failure> {
  /** why its requirements are not met: it was not run */
  readonly unmet?: string | undefined;
  /** what a step of it said that it lacks: the rest was not run */
  readonly lacking?: string | undefined;
  /** of all steps (and cleanups) that failed, in order */
  readonly failures: readonly F[];
  readonly splats: readonly Splat[];
  /** how the guest ended before it was told to */
  readonly death?:
    | {
        readonly kind: 'panic' | 'shutdown' | 'stopped' | 'qemu' | 'ssh';
        readonly message: string;
      }
    | undefined;
  /** what differs from the state before the case, where it must not, in words */
  readonly leftovers: readonly string[];
  /** a declared bug that applies to this case on this kernel */
  readonly knownBug?:
    | {
        readonly because: string;
        /** a race: that it passed is no sign that it is gone */
        readonly sometimes?: boolean | undefined;
      }
    | undefined;
}

export interface Judgement<F extends Failure = Failure> {
  readonly verdict: Verdict;
  /** a sentence, for every verdict but pass */
  readonly reason?: string;
  /** of a known bug: it shows now and then */
  readonly isRace?: true;
  /** the failure that the reason tells: what is shown as evidence belongs to it */
  readonly failure?: F;
  /** failures besides that one */
  readonly besides?: readonly F[];
}

/** What is wrong with a case, and the failure that shows it. */
interface Cause<F> {
  readonly reason: string;
  readonly failure?: F | undefined;
}

/**
 * The verdict on a case.
 *
 * A failure of the kernel itself (a panic, a splat, a shutdown that nobody asked for) goes before the rig's excuses: a
 * connection that is lost because the kernel crashed is no infrastructure failure. The rig's failure goes before what a
 * step expected in vain, which it may have caused.
 */
export function judge<F extends Failure>(facts: CaseFacts<F>): Judgement<F> {
  if (facts.unmet !== undefined) return { verdict: 'skip', reason: facts.unmet };
  const ofKernel = kernelFailure(facts);
  const unasked = ofKernel === undefined ? faultOfTheRig(facts) : undefined;
  if (unasked) return { verdict: 'infra', ...withEvidence(unasked.reason, unasked, facts) };
  const wrong = ofKernel ?? unmetExpectation(facts);
  const { knownBug, lacking } = facts;
  if (!wrong) {
    if (lacking !== undefined) return { verdict: 'skip', reason: lacking };
    if (!knownBug || knownBug.sometimes) return { verdict: 'pass' };
    return { verdict: 'fixed', reason: `declared as known bug (${knownBug.because}), but it passed` };
  }
  if (!knownBug) return { verdict: 'fail', ...withEvidence(wrong.reason, wrong, facts) };
  const isRace = knownBug.sometimes && { isRace: true as const };
  return {
    verdict: 'known-bug',
    ...isRace,
    ...withEvidence(`${knownBug.because}: ${wrong.reason}`, wrong, facts),
  };
}

function withEvidence<F extends Failure>(
  reason: string,
  { failure }: Cause<F>,
  { failures }: CaseFacts<F>,
): Omit<Judgement<F>, 'verdict'> {
  const besides = failures.filter((one) => one !== failure);
  return { reason, ...(failure && { failure }), ...(besides.length > 0 && { besides }) };
}

function kernelFailure<F extends Failure>({ death, splats, failures }: CaseFacts<F>): Cause<F> | undefined {
  if (death?.kind === 'panic') return { reason: death.message, failure: ofDeath('panic', failures) };
  const unexpected = splats.filter(({ allowed }) => !allowed);
  const [first] = unexpected;
  if (first) {
    return {
      reason: unexpected.length === 1 ? first.title : `${first.title} (and ${unexpected.length - 1} more)`,
      failure: failures.find(({ step, received }) => step === first.step && received === first.title),
    };
  }
  if (death?.kind !== 'shutdown') return undefined;
  return { reason: death.message, failure: ofDeath('shutdown', failures) };
}

/** What a step received in which the guest died is how it died. */
function ofDeath<F extends Failure>(kind: string, failures: readonly F[]): F | undefined {
  return failures.findLast(({ received }) => received === kind);
}

function faultOfTheRig<F extends Failure>({ death, failures }: CaseFacts<F>): Cause<F> | undefined {
  const failure = failures.find(({ blame }) => blame !== 'kernel' && blame !== 'tool');
  if (failure) return { reason: failure.message, failure };
  return death && death.kind !== 'panic' && death.kind !== 'shutdown' ? { reason: death.message } : undefined;
}

function unmetExpectation<F extends Failure>({ failures, leftovers }: CaseFacts<F>): Cause<F> | undefined {
  const [failure] = failures;
  if (failure) return { reason: failure.message, failure };
  if (leftovers.length === 0) return undefined;
  const more = leftovers.length - MOST_LEFTOVERS;
  const shown = leftovers.slice(0, MOST_LEFTOVERS).join('; ');
  return { reason: `left behind: ${shown}${more > 0 ? `; and ${more} more` : ''}` };
}

const MOST_LEFTOVERS = 3;

/**
 * The exit code of a run: 130 interrupted, 1 a fail, 3 an infrastructure failure and no fail, 0 otherwise. A bug that
 * was declared and passed does not fail the run: it is news, told in the reports.
 */
export function exitCode(counts: Readonly<Record<Verdict, number>>, interrupted: boolean): number {
  if (interrupted) return 130;
  if (counts.fail > 0) return 1;
  return counts.infra > 0 ? 3 : 0;
}
