import { expect, test } from 'vitest';
import type { ComparedCase, Difference } from './comparison.js';
import { differenceText, foldDifferences } from './fold.js';

const inCase = (id: string, difference: Difference): ComparedCase => ({
  id,
  topology: 'one-volatile',
  change: 'behaviour',
  differences: [difference],
});

const seed = (name: string, value: { base?: unknown; head?: unknown }): Difference => ({
  kind: 'state',
  step: '2 expect region',
  path: `bindings.nd.${name}`,
  ...value,
});

test('what only one kernel has is told once with the values it took, no driver among them', () => {
  const [folded, ...others] = foldDifferences([
    inCase('a', seed('namespace1.1', { head: null })),
    inCase('b', seed('namespace1.0', { head: 'nd_pmem' })),
  ]).map(differenceText);
  expect(folded).toBe('bindings.nd.namespace1.1: absent -> null or nd_pmem; after step 2 expect region');
  expect(others).toEqual([]);
});

test('what the head alone lacks is told with its value on the base', () => {
  expect(foldDifferences([inCase('a', seed('namespace1.0', { base: null }))]).map(differenceText)).toEqual([
    'bindings.nd.namespace1.0: null -> absent; after step 2 expect region',
  ]);
});
