import { afterEach, describe, expect, it, vi } from 'vitest';
import { RigError, UsageError } from '../base/errors.js';
import type { CaseTrace, RunSummary, Verdict } from '../trace/trace.js';
import { KernelUnfit } from '../run/prepare.js';
import { asBisectStep } from './bisect-step.js';

afterEach(() => vi.restoreAllMocks());

function outcome(verdicts: readonly Verdict[], exitCode = 0) {
  const traces = verdicts.map((verdict) => ({ verdict, case: { id: 'a case' } }) as CaseTrace);
  return { traces, summary: { exitCode } as RunSummary };
}

describe('a run as a step of git bisect run', () => {
  it.each<[number, string, Verdict[]]>([
    [0, 'every case passed', ['pass', 'skip', 'known-bug']],
    [1, 'a case failed, whatever else was not to be asked', ['pass', 'infra', 'fail']],
    [125, 'a case could not be asked', ['pass', 'infra']],
    [125, 'every case was skipped', ['skip', 'skip']],
  ])('ends with %i when %s', async (code, _, verdicts) => {
    expect(await asBisectStep(() => Promise.resolve(outcome(verdicts)))).toBe(code);
  });

  it('stops the search when it was interrupted', async () => {
    expect(await asBisectStep(() => Promise.resolve(outcome(['infra'], 130)))).toBe(130);
  });

  it.each<[number, string, unknown]>([
    [125, 'the kernel does not build', new RigError('kernel', 'does not build')],
    [125, 'a patch does not apply', new KernelUnfit(new UsageError('x.patch does not apply'))],
    [125, 'the rig could not do its work', new RigError('qemu', 'QEMU ended')],
    [128, 'a scenario is invalid', new UsageError('no such scenario')],
    [130, 'it was interrupted while it built', new DOMException('interrupted', 'AbortError')],
  ])('ends with %i when %s', async (code, _, error) => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await asBisectStep(() => Promise.reject(error as Error))).toBe(code);
  });
});
