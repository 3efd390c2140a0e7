import type { State } from '../../../../abi/state.js';
import type { CaseTrace, StepTrace } from '../../../../trace/trace.js';
import type { CaseContent } from '../../page-content.js';
import { replay } from '../../../replay.js';

/** What the step list offers: the start, every step, and the end where it has something to say. */
export interface Moment {
  readonly id: string;
  readonly step?: StepTrace;
  /** the state at this moment; absent when no guest came up */
  readonly state?: State;
  /** the state before the step */
  readonly previous?: State;
}

export const START = 'start';
export const END = 'end';

export function moments({ trace, consoleTail }: CaseContent): Moment[] {
  const { initialState, steps } = trace;
  const passages = replay(trace);
  const outermost = steps.findLastIndex((step) => !steps.some((other) => step.id.startsWith(`${other.id}.`)));
  const last = passages[outermost]?.after ?? initialState;
  return [
    { id: START, ...(initialState && { state: initialState }) },
    ...steps.map((step, index): Moment => {
      const passage = passages[index];
      return { id: step.id, step, ...(passage && { state: passage.after, previous: passage.before }) };
    }),
    ...(hasEnd(trace) || consoleTail !== undefined ? [{ id: END, ...(last && { state: last }) }] : []),
  ];
}

function hasEnd({ leftovers, splats, steps }: CaseTrace): boolean {
  return leftovers.length > 0 || splats.length > 0 || steps.length > 0;
}
