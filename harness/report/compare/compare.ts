import { relative } from 'node:path';
import type { CaseTrace } from '../../trace/trace.js';
import { changeOf, failedAlike } from './classify.js';
import {
  BAD_CHANGES,
  CHANGES,
  COMPARISON_VERSION,
  type Change,
  type ComparedCase,
  type ComparedFailure,
  type ComparedOutcome,
  type Comparison,
  type Difference,
} from './comparison.js';
import { answerDifferences, splatDifferences, stepName } from './differences.js';
import type { Side } from './side.js';
import { stateDifferences } from './states.js';
import { paceOf, stepMilliseconds, timingDifference } from './timing.js';

/**
 * What differs between two kernels that were asked the same: pure, from the traces alone.
 * Its exit code: 1 the head is worse in a case (BAD_CHANGES), 3 it is not and some could not be compared, else 0.
 */
export function compare(base: Side, head: Side): Comparison {
  const ids = [...new Set([...base.cases.keys(), ...head.cases.keys()])];
  const rows = ids.map((id) => ({ id, was: base.cases.get(id), is: head.cases.get(id) }));
  const pace = paceOf(
    rows.flatMap(({ was, is }) => (was?.verdict === 'pass' && is?.verdict === 'pass' ? [[was, is]] : [])),
  );
  const compared = rows.flatMap(({ id, was, is }) => {
    const any = was ?? is;
    return any ? [comparedCase(id, any, was, is, { base, head, pace })] : [];
  });
  const counts = Object.fromEntries(
    changes.flatMap((name) => {
      const count = compared.filter(({ change }) => change === name).length;
      return count > 0 ? [[name, count]] : [];
    }),
  ) as Comparison['counts'];
  return {
    version: COMPARISON_VERSION,
    base: base.kernel,
    head: head.kernel,
    counts,
    pace,
    cases: compared
      .filter(({ change }) => change !== 'same')
      .sort((a, b) => changes.indexOf(a.change) - changes.indexOf(b.change)),
    exitCode: exitCodeOf(compared),
  };
}

const changes = Object.keys(CHANGES) as Change[];

function exitCodeOf(compared: readonly ComparedCase[]): number {
  if (compared.some(({ change }) => BAD_CHANGES.includes(change))) return 1;
  return compared.some(({ change }) => change === 'not-comparable') ? 3 : 0;
}

interface Sides {
  readonly base: Side;
  readonly head: Side;
  readonly pace: number;
}

function comparedCase(
  id: string,
  { case: { title }, machine }: CaseTrace,
  was: CaseTrace | undefined,
  is: CaseTrace | undefined,
  { base, head, pace }: Sides,
): ComparedCase {
  const byVerdict = was && is && isOneRace(was, is) ? 'same' : changeOf(was?.verdict, is?.verdict);
  const differences =
    was && is && byVerdict !== 'not-comparable' ? differencesOf(was, is, byVerdict, pace) : [];
  return {
    id,
    ...(title !== undefined && { title }),
    topology: machine.name,
    change: was && is ? refined(byVerdict, was, is, differences) : byVerdict,
    ...(was && { base: outcomeOf(was, base) }),
    ...(is && { head: outcomeOf(is, head) }),
    differences,
  };
}

/** A race that a scenario declares is the same one whether it showed on both, on one or on none. */
function isOneRace(...traces: readonly CaseTrace[]): boolean {
  const shown = traces.filter(({ verdict }) => verdict !== 'pass');
  return shown.length > 0 && shown.every(({ isRace }) => isRace === true);
}

/** What the verdicts alone do not tell. */
function refined(
  byVerdict: Change,
  was: CaseTrace,
  is: CaseTrace,
  differences: readonly Difference[],
): Change {
  if (byVerdict === 'changed-failure') {
    const splatted = (trace: CaseTrace): boolean => trace.splats.some(({ allowed }) => !allowed);
    // whatever else failed before: that the kernel complains of itself is new
    if (splatted(is) && !splatted(was) && is.verdict === 'fail') return 'regression';
    if (was.verdict === is.verdict && failedAlike(was, is))
      return differences.length > 0 ? 'behaviour' : 'same';
    return byVerdict;
  }
  if (byVerdict !== 'same') return byVerdict;
  if (differences.some(({ kind }) => kind !== 'timing')) return 'behaviour';
  return differences.length > 0 ? 'timing' : 'same';
}

function differencesOf(was: CaseTrace, is: CaseTrace, byVerdict: Change, pace: number): Difference[] {
  if (was.verdict === 'skip' || is.verdict === 'skip') return [];
  return [
    ...splatDifferences(was, is),
    ...answerDifferences(was, is),
    ...stateDifferences(was, is),
    // a failed case ends early, or waits in vain
    ...(byVerdict === 'same' ? timingDifference(was, is, pace) : []),
  ];
}

function outcomeOf(trace: CaseTrace, side: Side): ComparedOutcome {
  const { verdict, reason, artifacts } = trace;
  const failure = failureOf(trace);
  return {
    verdict,
    ...(reason !== undefined && { reason }),
    ...(failure && { failure }),
    milliseconds: stepMilliseconds(trace),
    run: side.kernel.run,
    artifacts,
    key: trace.case.id,
  };
}

function failureOf({ failure, steps }: CaseTrace): ComparedFailure | undefined {
  if (!failure) return undefined;
  const { message, position, subject, expected, received } = failure;
  const step = steps.find(({ outcome }) => outcome === 'fail');
  return {
    ...(step && { step: stepName(step) }),
    message,
    place: `${relative(process.cwd(), position.file)}:${position.line}`,
    ...(subject !== undefined && { subject }),
    ...(expected !== undefined && { expected }),
    ...(received !== undefined && { received }),
  };
}
