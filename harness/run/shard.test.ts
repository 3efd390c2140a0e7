import { expect, test } from 'vitest';
import type { PlannedCase } from './planned-case.js';
import { groupKey } from './machine-group.js';
import { startMs } from './schedule.js';
import { shardOf } from './shard.js';
import { plannedCase } from './testing/planned.js';

const PLAN: readonly PlannedCase[] = ['one', 'two', 'three', 'four'].flatMap((machineKey, m) =>
  Array.from({ length: 8 }, (_, n) => `${machineKey}-${n}`).flatMap((caseId, n) =>
    ['stock', 'debian-stable'].map((kernel) =>
      plannedCase({ caseId, kernel, machineKey, expectedMs: 300 + 100 * n + 50 * m, isOwn: n === 7 }),
    ),
  ),
);

function parts(count: number): PlannedCase[][] {
  return Array.from({ length: count }, (_, n) => shardOf(PLAN, { index: n + 1, count }));
}

/** With the starts of its guests, one for each group. */
function lengthOf(part: readonly PlannedCase[]): number {
  const groups = new Map(part.map((one) => [one.isOwn ? one.key : groupKey(one), startMs(one)]));
  return [...groups.values(), ...part.map(({ expectedMs }) => expectedMs)].reduce((sum, ms) => sum + ms, 0);
}

test.each([1, 2, 3, 5])('%i shards have every case once, in the order of the plan', (count) => {
  const all = parts(count);
  expect(all.flat().sort((a, b) => PLAN.indexOf(a) - PLAN.indexOf(b))).toEqual(PLAN);
  for (const part of all) expect(part).toEqual(PLAN.filter((one) => part.includes(one)));
});

test('shards are of about the same length', () => {
  const lengths = parts(3).map(lengthOf);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / 3;
  expect(Math.max(...lengths) / mean).toBeLessThan(1.15);
});

test('a machine is in two shards only where they meet, and both kernels of a case in the same', () => {
  const machines = parts(3).map(
    (part) => new Set(part.filter(({ isOwn }) => !isOwn).map((one) => one.machineKey)),
  );
  expect(machines.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(4 + 2);
  for (const part of parts(3)) {
    const cases = new Set(part.map(({ caseId }) => caseId));
    expect(part).toHaveLength(2 * cases.size);
  }
});

test('more shards than cases leave some without', () => {
  const [only] = PLAN as [PlannedCase];
  expect([1, 2, 3].flatMap((index) => shardOf([only], { index, count: 3 }))).toEqual([only]);
});

test('what the kernel may lack something for is spread over the shards by itself', () => {
  const plan = ['one', 'two', 'three'].flatMap((machineKey) =>
    Array.from({ length: 6 }, () =>
      plannedCase({ machineKey, expectedMs: 30_000, maySkip: machineKey !== 'one' }),
    ),
  );
  const sure = [1, 2, 3].map((index) => shardOf(plan, { index, count: 3 }).filter(({ maySkip }) => !maySkip));
  expect(sure.map(({ length }) => length)).toEqual([2, 2, 2]);
});
