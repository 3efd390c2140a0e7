import { describe, expect, test } from 'vitest';
import { guestsAtATime } from './capacity.js';

const GIB = 2 ** 30;
const machines = [
  { name: 'small', memoryBytes: GIB },
  { name: 'large', memoryBytes: 4 * GIB },
];

describe('guests at a time', () => {
  test('are those that were asked for where there is memory for them', () => {
    expect(guestsAtATime(4, machines, 32 * GIB)).toEqual({ jobs: 4 });
  });

  test('are fewer where memory is short of the largest machine, and the run says so', () => {
    const { jobs, remark } = guestsAtATime(4, machines, 10 * GIB);
    expect(jobs).toBe(2);
    expect(remark).toBe('2 of 4 guests at a time: a guest may take 4.4 GiB, and 10.0 GiB are free');
  });

  test('are one, with a warning, where not even one fits', () => {
    const { jobs, remark } = guestsAtATime(2, machines, GIB);
    expect(jobs).toBe(1);
    expect(remark).toContain('too small');
  });

  test('know what this machine has', () => {
    expect(guestsAtATime(1, []).jobs).toBe(1);
  });
});
