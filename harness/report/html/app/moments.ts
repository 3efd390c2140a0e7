import type { CaseTrace, StepTrace } from '../../trace.js';
import type { CaseContent } from '../page-content.js';

/** What the step list offers: the start, every step, and the end where it has something to say. */
export interface Moment {
  readonly id: string;
  readonly step?: StepTrace;
  /** index into the replayed states */
  readonly stateIndex: number;
}

export const START = 'start';
export const END = 'end';

export function moments({ trace, consoleTail }: CaseContent): Moment[] {
  const last = trace.steps.length;
  return [
    { id: START, stateIndex: 0 },
    ...trace.steps.map((step, index) => ({ id: step.id, step, stateIndex: index + 1 })),
    ...(hasEnd(trace) || consoleTail !== undefined ? [{ id: END, stateIndex: last }] : []),
  ];
}

function hasEnd({ leftovers, splats, steps }: CaseTrace): boolean {
  return leftovers.length > 0 || splats.length > 0 || steps.length > 0;
}
