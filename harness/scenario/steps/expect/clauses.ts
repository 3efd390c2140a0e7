import { stateClauses, type StepBody } from '../../language.js';
import { Unresolved } from '../outcome.js';
import { resolve, resolveAs } from '../resolve.js';
import type { ClauseKey, ClauseOf, Miss, World } from './clause.js';
import { decoder, memdev, region } from './cxl.js';
import { extents } from './extents.js';
import { driver, file, log, module, sameAs } from './evidence.js';
import { dax, iomem, memory, namespace, node } from './memory.js';
import { trace } from './trace.js';

type Body = StepBody<'expect'>;

const CLAUSES: { readonly [K in ClauseKey]: (clause: ClauseOf<K>, world: World) => Miss[] } = {
  region,
  decoder,
  memdev,
  dax,
  extents,
  memory,
  node,
  iomem,
  driver,
  namespace,
  module,
  file,
  trace,
  log,
};

/** The clauses of an expectation, each with its path in it. */
export function clausesOf(body: Body): { key: ClauseKey; clause: unknown; path: (string | number)[] }[] {
  return (Object.keys(CLAUSES) as ClauseKey[]).flatMap((key) => {
    const value: unknown = body[key];
    if (value === undefined) return [];
    if (!Array.isArray(value)) return [{ key, clause: value, path: [key] }];
    return value.map((clause: unknown, index) => ({ key, clause, path: [key, index] }));
  });
}

/** What of an expectation does not hold. Captures are put in now: what they stand for may appear while one waits. */
export function missesOf(body: Body, world: World): Miss[] {
  const misses = clausesOf(body).flatMap(({ key, clause, path }) => {
    const holds = CLAUSES[key] as (clause: unknown, world: World) => Miss[];
    return putIn(path, () => holds(resolveAs<unknown>(stateClauses[key], clause, world.session), world));
  });
  const expected = body['same-as'];
  if (expected === undefined) return misses;
  return [...misses, ...putIn(['same-as'], () => sameAs(resolve(expected, world.session), world))];
}

function putIn(path: readonly (string | number)[], hold: () => Miss[]): Miss[] {
  try {
    return hold().map((miss) => ({ ...miss, path: [...path, ...miss.path] }));
  } catch (error) {
    if (!(error instanceof Unresolved)) throw error;
    return [
      {
        message: error.message,
        path,
        subject: `\${${error.reference}}`,
        expected: 'a value',
        received: 'none',
        blame: error.blame,
      },
    ];
  }
}
