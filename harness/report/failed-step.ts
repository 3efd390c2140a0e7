import type { CaseTrace, StepTrace } from '../trace/trace.js';

/**
 * The step whose failure is the case's: what is shown as evidence belongs to it, and not to a cleanup that failed after it.
 * Undefined when the case did not fail in a step. Traces of older runs do not say which step it was: there it is the first.
 */
export function failedStep({ failure, steps }: Pick<CaseTrace, 'failure' | 'steps'>): StepTrace | undefined {
  if (!failure) return undefined;
  if (failure.step !== undefined) return steps.find(({ id }) => id === failure.step);
  return steps.find(({ outcome }) => outcome === 'fail');
}
