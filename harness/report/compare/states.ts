import { differencesOf } from '../../abi/diff.js';
import { withNormalNames } from '../../abi/normal-names.js';
import type { State } from '../../abi/state.js';
import { replay } from '../replay.js';
import type { CaseTrace } from '../../trace/trace.js';
import type { Difference } from './comparison.js';
import { stepName } from './differences.js';

/**
 * Differs between kernels for reasons of their own: what is a module in one is built into the other, the kernel image
 * and its reservations lie elsewhere, struct pages cost some of a node's memory. libnvdimm numbers /dev/pmemN and the
 * devices that claim a namespace as they come, and which of them comes first is a race on any kernel.
 */
const NOT_COMPARED: readonly string[] = [
  'modules',
  'deniedModules',
  'nodes.*.memoryBytes',
  'deviceNodes',
  'namespaces.**.blockDevice',
  'bindings.nd.dax-**',
  'bindings.nd.pfn-**',
  'bindings.nd.btt-**',
  'iomem.PCI*',
  'iomem.Reserved*',
  'iomem.0000:*',
  'iomem.**Kernel *',
];

/**
 * What the kernels made of the same steps, where it is not the same: compared after every `expect` (which waits until
 * a state has come about) and at the end, for right after any other step probing may be under way. What differed
 * before the first step is the kernels' own and is left out. Behind the first failure the two did not do the same
 * any more, and nothing is compared.
 *
 * Each path is told once, with the step after which it was seen first.
 */
export function stateDifferences(base: CaseTrace, head: CaseTrace): Difference[] {
  if (!base.initialState || !head.initialState) return [];
  const told = new Set(compared(base.initialState, head.initialState).map(({ path }) => path));
  const found: Difference[] = [];
  for (const { step, states } of moments(base, head)) {
    for (const { path, before, after } of compared(...states)) {
      if (told.has(path)) continue;
      told.add(path);
      found.push({
        kind: 'state',
        step,
        path,
        ...(before !== undefined && { base: before }),
        ...(after !== undefined && { head: after }),
      });
    }
  }
  return found;
}

interface ComparedMoment {
  readonly step: string;
  readonly states: readonly [base: State, head: State];
}

function moments(base: CaseTrace, head: CaseTrace): ComparedMoment[] {
  const [was, is] = [replay(base), replay(head)];
  const places = new Map(head.steps.map(({ id }, index) => [id, index]));
  const failed = failedAt(base, head);
  return base.steps.flatMap((step, index): ComparedMoment[] => {
    const before = was[index]?.after;
    const place = places.get(step.id);
    const after = place === undefined ? undefined : is[place]?.after;
    const other = place === undefined ? undefined : head.steps[place];
    if (!before || !after || other?.kind !== step.kind) return [];
    if (failed !== undefined && index > failed) return [];
    if (step.kind !== 'expect' && index !== base.steps.length - 1) return [];
    return [{ step: stepName(step), states: [before, after] }];
  });
}

/** Index in the base's steps of the first that failed on either. */
function failedAt(base: CaseTrace, head: CaseTrace): number | undefined {
  const bad = new Set(
    [...base.steps, ...head.steps].filter(({ outcome }) => outcome === 'fail').map(({ id }) => id),
  );
  const index = base.steps.findIndex(({ id }) => bad.has(id));
  return index < 0 ? undefined : index;
}

function compared(base: State, head: State): ReturnType<typeof differencesOf> {
  return differencesOf(withNormalNames(base), withNormalNames(head), NOT_COMPARED).filter(
    ({ path, before, after }) => !(path.endsWith('.uuid') && isUuid(before) && isUuid(after)),
  );
}

/** Tools make up a uuid when they get none; what a scenario writes itself it also asserts. */
function isUuid(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) &&
    /[1-9a-f]/.test(value)
  );
}
