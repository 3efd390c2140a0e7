import { isMap } from '../../base/plain.js';
import type { DocumentPath } from '../../base/document/yaml.js';
import { simpleSteps, type StepDefinition } from '../kinds/index.js';

/** Which steps give names to things; on plain values, because it is asked before and after validation. */

/** The step kinds whose `as` captures. `snapshot` keeps a state, `repeat` counts its turns: neither is for later steps. */
const CAPTURING: readonly string[] = Object.entries<StepDefinition>(simpleSteps)
  .filter(([, { captures }]) => captures)
  .map(([kind]) => kind);

/** The captures that a step makes by itself, and where in the step their names stand. */
export function capturesMadeBy(step: unknown): { name: string; within: DocumentPath }[] {
  if (!isMap(step)) return [];
  return CAPTURING.flatMap((kind) => {
    const body = Object.hasOwn(step, kind) ? step[kind] : undefined;
    const name = isMap(body) && Object.hasOwn(body, 'as') ? body['as'] : undefined;
    return typeof name === 'string' ? [{ name, within: [kind, 'as'] }] : [];
  });
}

/** Each step of a list and of the lists within it, in order, with its path. */
export function allSteps(list: unknown, path: DocumentPath): { step: unknown; path: DocumentPath }[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((step: unknown, index) => [
    { step, path: [...path, index] },
    ...nestedSteps(step).flatMap((inner) => allSteps(inner.list, [...path, index, ...inner.path])),
  ]);
}

/** The lists of steps within a step, in order. */
function nestedSteps(step: unknown): { list: unknown; path: DocumentPath }[] {
  if (!isMap(step)) return [];
  const { parallel, repeat } = step;
  const branches = Array.isArray(parallel)
    ? parallel.map((list: unknown, index) => ({ list, path: ['parallel', index] as DocumentPath }))
    : [];
  const turns = isMap(repeat) ? [{ list: repeat['steps'], path: ['repeat', 'steps'] as DocumentPath }] : [];
  return [...branches, ...turns];
}
