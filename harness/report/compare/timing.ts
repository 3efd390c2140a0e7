import type { CaseTrace } from '../../trace/trace.js';
import type { Difference } from './comparison.js';
import { pairedSteps, stepName } from './differences.js';

/** Less than this is the noise of a busy machine, whatever the factor: booting a guest beside takes so much. */
const LEAST_MS = 3_000;
const LEAST_FACTOR = 3;
/** Cases shorter than this say nothing about the pace of a kernel. */
const TELLING_MS = 200;

type Pair = readonly [base: CaseTrace, head: CaseTrace];

/** Milliseconds that the steps took: without booting, which depends on the guest that was at hand. */
export function stepMilliseconds({ steps }: Pick<CaseTrace, 'steps'>): number {
  return steps.filter(isOutermost).reduce((sum, step) => sum + step.milliseconds, 0);
}

/**
 * How much slower the head is in general: the median over the cases. A kernel with debugging options is slower in
 * everything, which is one fact and not one of every case.
 */
export function paceOf(pairs: readonly Pair[]): number {
  const ratios = pairs
    .map(([base, head]) => [stepMilliseconds(base), stepMilliseconds(head)] as const)
    .filter(([base, head]) => base >= TELLING_MS && head >= TELLING_MS)
    .map(([base, head]) => head / base)
    .sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length / 2)] ?? 1;
}

/** The difference in time of a case that went alike on both, when it is large beyond the pace. */
export function timingDifference(base: CaseTrace, head: CaseTrace, pace: number): Difference[] {
  const [was, is] = [stepMilliseconds(base), stepMilliseconds(head)];
  const expected = was * pace;
  const [less, more] = [Math.min(expected, is), Math.max(expected, is)];
  if (more - less < LEAST_MS || more < less * LEAST_FACTOR) return [];
  const steps = pairedSteps(base, head).filter(([step]) => isOutermost(step));
  const [most] = steps.sort((a, b) => gap(b) - gap(a));
  if (!most) return [];
  return [{ kind: 'timing', step: stepName(most[0]), base: was, head: is, factor: is / expected }];
}

function gap([base, head]: ReturnType<typeof pairedSteps>[number]): number {
  return Math.abs(head.milliseconds - base.milliseconds);
}

/** Inner steps are part of theirs. */
function isOutermost({ id }: { readonly id: string }): boolean {
  return /^(?:cleanup\.)?\d+$/.test(id);
}
