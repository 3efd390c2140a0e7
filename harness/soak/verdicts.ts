import type { Verdict } from '../trace/trace.js';
import { grouped } from './grouped.js';

/** A case as a round saw it. */
export interface SoakedCase {
  /** the same for all copies and rounds */
  readonly id: string;
  readonly verdict: Verdict;
  readonly reason?: string | undefined;
}

/** A verdict that is not the truth. */
export interface FalseVerdict extends SoakedCase {
  readonly truth: Verdict;
}

/**
 * Verdicts that a case got now and then. Nothing but chance is different from one run to the next, so what it got most
 * often is taken for the truth. `infra` never is one: it says that the rig could not tell.
 */
export function falseVerdicts(cases: readonly SoakedCase[]): FalseVerdict[] {
  const truths = new Map(
    [...grouped(cases, ({ id }) => id)].map(([id, runs]): [string, Verdict] => [id, mostFrequent(runs)]),
  );
  return cases.flatMap((one) => {
    const truth = truths.get(one.id) ?? one.verdict;
    return one.verdict === truth && one.verdict !== 'infra' ? [] : [{ ...one, truth }];
  });
}

function mostFrequent(runs: readonly SoakedCase[]): Verdict {
  const counts = new Map<Verdict, number>();
  for (const { verdict } of runs) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const [[most] = ['infra' as const]] = [...counts].sort(([, one], [, other]) => other - one);
  return most;
}
