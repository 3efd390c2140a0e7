import { describe, expect, test } from 'vitest';
import type { CaseTrace, Verdict } from '../trace/trace.js';
import { sampleRun } from '../report/testing/sample-run.js';
import { judgeAttempts } from './attempts.js';

const { traces } = await sampleRun();

function attempt(verdict: Verdict, reason?: string, casesBefore = 0): CaseTrace {
  const [{ guest, ...trace }] = traces as [CaseTrace];
  if (!guest) throw new Error('the sample has no guest');
  return {
    ...trace,
    verdict,
    ...(reason !== undefined && { reason }),
    guest: { ...guest, reused: casesBefore > 0, casesBefore },
  };
}

describe('several attempts at a case', () => {
  test('that all fail are a failure like any other, shown by the one in a fresh guest', () => {
    const trace = judgeAttempts([attempt('fail', 'in a used guest', 3), attempt('fail', 'in a fresh one')]);
    expect(trace).toMatchObject({ verdict: 'fail', reason: 'in a fresh one', guest: { reused: false } });
    expect(trace.attempts).toHaveLength(2);
  });

  test('of which the one in a used guest alone fails depend on what ran before, and fail', () => {
    const trace = judgeAttempts([attempt('fail', 'EBUSY', 3), attempt('pass')]);
    expect(trace.verdict).toBe('fail');
    expect(trace.reason).toBe(
      'depends on what ran before (failed in a guest that had served 3 cases, passed in 1 fresh; `boot: fresh` gives a case one of its own): EBUSY',
    );
  });

  test('of which some pass are flaky, with the rate, and fail', () => {
    const trace = judgeAttempts([
      attempt('fail', 'EBUSY'),
      attempt('pass'),
      attempt('fail', 'EBUSY'),
      attempt('pass'),
    ]);
    expect(trace.verdict).toBe('fail');
    expect(trace.reason).toBe('flaky (failed in 2 of 4 attempts): EBUSY');
    expect(trace.attempts?.map(({ verdict }) => verdict)).toEqual(['fail', 'pass', 'fail', 'pass']);
  });

  test('show what the kernel did wrong rather than what the rig could not do', () => {
    const trace = judgeAttempts([
      attempt('infra', 'no SSH'),
      attempt('fail', 'EBUSY'),
      attempt('infra', 'no SSH'),
    ]);
    expect(trace).toMatchObject({ verdict: 'fail', reason: 'EBUSY' });
  });

  test('the first of which the rig spoilt are an infrastructure failure still', () => {
    expect(judgeAttempts([attempt('infra', 'QEMU died'), attempt('pass')])).toMatchObject({
      verdict: 'infra',
      reason: 'flaky (failed in 1 of 2 attempts): QEMU died',
    });
  });
});
