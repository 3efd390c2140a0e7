import type { State } from '../../abi/index.js';
import type { Step } from '../case.js';
import type { StepDocument } from '../language/language.js';
import type { Deed, StepSession } from './context.js';
import { heldDecoders } from './select.js';

/** Steps that undo what is left of what was done, newest first: regions that create-region made, values that set wrote. */
export function undoing({ done, state, broken }: Pick<StepSession, 'done' | 'state' | 'broken'>): Step[] {
  if (broken) return [];
  return [...done].reverse().flatMap((deed) => {
    const { position } = deed.step;
    const document = undoingOf(deed, state);
    return document ? [{ document, position, at: () => position, branches: [] }] : [];
  });
}

function undoingOf(deed: Deed, state: State): StepDocument | undefined {
  if (deed.kind === 'set')
    return { name: `${deed.path} as it was`, write: { path: deed.path, value: deed.before } };
  const { name, isGone } = deed.region;
  const isThere = name in state.regions && !isGone;
  return isThere || heldDecoders(deed.region.decoders, name, state).length > 0
    ? { 'destroy-region': { region: name } }
    : undefined;
}
