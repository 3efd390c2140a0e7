import { describe, expect, test, vi } from 'vitest';
import type { Loop } from '../language/language.js';
import type { StepScope } from './scope.js';
import { turnsOf } from './turns.js';

const scope = {
  resolve: (value: unknown) => value,
  session: { context: {} },
} as unknown as Pick<StepScope, 'resolve' | 'session'>;

/** How long each of three branches waits, in three turns. */
async function waits(loop: Loop): Promise<{ waited: number[]; seed: unknown }> {
  vi.useFakeTimers();
  const turns = turnsOf(loop, scope);
  const waited: number[] = [];
  for (let turn = 1; turn <= 3; turn++) {
    const begun = [1, 2, 3].map(async () => {
      const began = performance.now();
      await turns.wait();
      waited.push(performance.now() - began);
    });
    await vi.runAllTimersAsync();
    await Promise.all(begun);
  }
  vi.useRealTimers();
  return { waited, seed: turns.loop?.seed };
}

describe('a loop', () => {
  test('begins the branches in the same order again with the seed that it told', async () => {
    const first = await waits({ times: 3, jitter: '50ms' });
    const again = await waits({ times: 3, jitter: '50ms', seed: first.seed as number });
    expect(again).toEqual(first);
    expect(new Set(first.waited).size).toBeGreaterThan(1);
    expect(Math.max(...first.waited)).toBeLessThanOrEqual(50);
  });

  test('draws other moments without a seed', async () => {
    const [one, other] = [await waits({ times: 3, jitter: '1s' }), await waits({ times: 3, jitter: '1s' })];
    expect(one.waited).not.toEqual(other.waited);
  });

  test('goes on for as many turns, or for as long, as it says', () => {
    vi.useFakeTimers();
    const turns = turnsOf({ times: 2 }, scope);
    expect([1, 2, 3].map((turn) => turns.goesOn(turn))).toEqual([true, true, false]);
    const timed = turnsOf({ for: '30s' }, scope);
    vi.advanceTimersByTime(29_999);
    expect(timed.goesOn(500)).toBe(true);
    vi.advanceTimersByTime(1);
    expect(timed.goesOn(501)).toBe(false);
    vi.useRealTimers();
  });

  test('says in which turn a branch failed, and how to have the same again', () => {
    const turns = turnsOf({ times: 9, jitter: '5ms', seed: 7 }, scope);
    expect(turns.told('EBUSY', 4)).toBe('EBUSY (turn 4; `seed: 7` begins the branches in this order again)');
    expect(turnsOf({ times: 9 }, scope).told('EBUSY', 4)).toBe('EBUSY (turn 4)');
  });
});

test('without a loop the branches run once', () => {
  const turns = turnsOf(undefined, scope);
  expect([turns.goesOn(1), turns.goesOn(2), turns.loop]).toEqual([true, false, undefined]);
});
