import { z } from 'zod';
import { clauses, type ClauseKey, type ClauseSchema } from '../clauses/index.js';
import { duration, oneOrMore, text } from './scalars.js';

const sameAs = z.union([text, z.strictObject({ snapshot: text, ignoring: z.array(text).optional() })]).meta({
  description: 'the state equals the snapshot of that name; `boot` is the one before the first step',
});

type OneOrMore<K extends ClauseKey> = z.ZodUnion<[ClauseSchema<K>, z.ZodArray<ClauseSchema<K>>]>;

/**
 * Each clause selects things by `name`, or by what they belong to with `of: <region>`; every other key must hold.
 * A clause may be a list of such clauses.
 */
export const stateClauses = {
  ...(Object.fromEntries(
    Object.entries(clauses).map(([key, { schema }]) => [key, oneOrMore(schema)]),
  ) as unknown as { readonly [K in ClauseKey]: OneOrMore<K> }),
  'same-as': sameAs,
} as const;

export const stateExpectation = z.strictObject(
  Object.fromEntries(Object.entries(stateClauses).map(([key, schema]) => [key, schema.optional()])) as {
    [K in keyof typeof stateClauses]: z.ZodOptional<(typeof stateClauses)[K]>;
  },
);

export const expectBody = stateExpectation.extend({
  within: duration.optional().meta({ description: 'becomes true within this time; 10s when absent' }),
  'stays-for': duration.optional().meta({ description: 'and stays true for this time' }),
});
