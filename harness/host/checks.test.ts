import { describe, expect, test } from 'vitest';
import { byLimits } from './checks.js';

describe('room on a disk', () => {
  const check = (bytes: number) =>
    byLimits('disk', bytes, { fail: 500e6, warn: 3000e6 }, 'free at /x', 'free space');

  test('is fine, near its limit, or too little', () => {
    expect(check(10e9)).toEqual({ subject: 'disk', status: 'ok', detail: '10.0 GB free at /x' });
    expect(check(1e9)).toMatchObject({ status: 'warn', remedy: 'free space' });
    expect(check(1e8)).toMatchObject({ status: 'fail', remedy: 'free space' });
  });
});
