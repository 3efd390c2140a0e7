import type { z } from 'zod';
import { leftoversOf } from '../../../abi/index.js';
import { clauseOf, clausesOf } from '../../clauses/index.js';
import type { Miss, World } from '../../clauses/definition.js';
import { stateClauses, type expectBody } from '../../language/expectations.js';
import type { StepSession } from '../context.js';
import { Unresolved } from '../outcome.js';
import { resolve, resolveAs } from '../resolve.js';

type Body = z.output<typeof expectBody>;

/** What of an expectation does not hold. Captures are put in now: what they stand for may appear while one waits. */
export function missesOf(body: Body, world: World, session: StepSession): Miss[] {
  const misses = clausesOf(body).flatMap(({ key, clause, path }) =>
    withCaptures(path, () =>
      clauseOf(key).misses(resolveAs<never>(stateClauses[key] as never, clause, session), world),
    ),
  );
  const expected = body['same-as'];
  if (expected === undefined) return misses;
  return [...misses, ...withCaptures(['same-as'], () => sameAs(resolve(expected, session), session))];
}

function withCaptures(path: readonly (string | number)[], look: () => Miss[]): Miss[] {
  try {
    return look().map((miss) => ({ ...miss, path: [...path, ...miss.path] }));
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

function sameAs(expected: NonNullable<Body['same-as']>, { snapshots, state }: StepSession): Miss[] {
  const { snapshot, ignoring } =
    typeof expected === 'string' ? { snapshot: expected, ignoring: [] } : expected;
  const before = snapshots.get(snapshot);
  const path = typeof expected === 'string' ? [] : ['snapshot'];
  if (!before) {
    return [{ message: `no snapshot was kept as ${snapshot}`, path, subject: snapshot, blame: 'scenario' }];
  }
  const changes = leftoversOf(before, state, ignoring);
  const [first] = changes;
  if (!first) return [];
  return [
    {
      message: `the state differs from ${snapshot} in ${changes.map((change) => change.path).join(', ')}`,
      path,
      subject: first.path,
      expected: Object.fromEntries(changes.map((change) => [change.path, change.before ?? null])),
      received: Object.fromEntries(changes.map((change) => [change.path, change.after ?? null])),
    },
  ];
}
