import type { State, StateChange } from '../../../abi/state.js';
import type { CaseTrace } from '../../trace.js';

type Tree = Record<string, unknown>;

/**
 * The states that a case went through: the first, then the one after each step, in the order of the trace.
 * Unchanged parts are shared between them. Empty when no guest came up.
 */
export function replay({ initialState, steps }: Pick<CaseTrace, 'initialState' | 'steps'>): State[] {
  if (!initialState) return [];
  const states: State[] = [initialState];
  let state = initialState;
  for (const { changes } of steps) {
    state = applyChanges(state, changes);
    states.push(state);
  }
  return states;
}

/** The state after the changes; the given one is left as it is. */
export function applyChanges(state: State, changes: readonly StateChange[]): State {
  return changes.reduce<Tree>(
    (tree, change) => applied(tree, change.keys, change),
    state as unknown as Tree,
  ) as unknown as State;
}

function applied(tree: Tree, keys: readonly string[], change: StateChange): Tree {
  const [key, ...rest] = keys;
  if (key === undefined) return tree;
  const copy = { ...tree };
  if (rest.length > 0) {
    copy[key] = applied(isTree(tree[key]) ? tree[key] : {}, rest, change);
  } else if (change.after === undefined) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a key that the state no longer has
    delete copy[key];
  } else {
    copy[key] = change.after;
  }
  return copy;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
