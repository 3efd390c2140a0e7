import { failedStep } from '../report/failed-step.js';
import { kernelLines } from '../report/kernel-lines.js';
import type { CaseTrace, Evidence, EvidenceOfStep, StepTrace } from '../trace/trace.js';

/** So many steps are shown: what went wrong shows in the one that failed, or shortly before it. */
const MOST_STEPS = 5;
const MOST_CHARACTERS = 32_000;

/**
 * What a further run of a failed case shows of the step that failed and of those before it.
 * @param again the further run
 */
export function evidenceIn(again: CaseTrace, failed: CaseTrace): Evidence {
  const id = (failedStep(again) ?? failedStep(failed))?.id;
  const end = again.steps.findIndex((step) => step.id === id);
  const reached = end < 0 ? again.steps : again.steps.slice(0, end + 1);
  return {
    verdict: again.verdict,
    ...(again.reason !== undefined && { reason: again.reason }),
    artifacts: again.artifacts,
    steps: reached.flatMap(ofStep).slice(-MOST_STEPS),
  };
}

function ofStep({ id, log, calls }: StepTrace): EvidenceOfStep[] {
  if (kernelLines(log).length === 0 && calls === undefined) return [];
  return [{ id, log: log.slice(-MOST_CHARACTERS), ...(calls !== undefined && { calls }) }];
}
