import type { State, StateChange } from '../abi/state.js';
import type { CaseTrace, StepTrace } from '../trace/trace.js';

type Tree = Record<string, unknown>;

export interface Passage {
  readonly before: State;
  readonly after: State;
}

/**
 * The states before and after each step, by index in the trace. Unchanged parts are shared between them. Empty when
 * no guest came up.
 *
 * Steps within a step follow it in the trace. Its own changes are those of all of them together, so the state after
 * it comes from them and not from the last one within. Branches of a parallel step have no states of their own: they
 * show those of the whole.
 */
export function replay({ initialState, steps }: Pick<CaseTrace, 'initialState' | 'steps'>): Passage[] {
  if (!initialState) return [];
  const passages: Passage[] = [];
  const play = (first: number, state: State): { readonly next: number; readonly after: State } => {
    const step = steps[first];
    if (!step) return { next: first + 1, after: state };
    const passage = { before: state, after: applyChanges(state, step.changes) };
    passages[first] = passage;
    let next = first + 1;
    let inner = state;
    while (isWithin(steps[next], step)) {
      if (step.kind === 'parallel') {
        passages[next] = passage;
        next += 1;
      } else {
        ({ next, after: inner } = play(next, inner));
      }
    }
    return { next, after: passage.after };
  };
  let state = initialState;
  for (let next = 0; next < steps.length;) ({ next, after: state } = play(next, state));
  return passages;
}

function isWithin(step: StepTrace | undefined, outer: StepTrace): boolean {
  return step?.id.startsWith(`${outer.id}.`) ?? false;
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
