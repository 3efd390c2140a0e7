import { describe, expect, it } from 'vitest';
import { exitCode, judge, type Blame, type CaseFacts, type Verdict } from './index.js';

const clean: CaseFacts = { failures: [], splats: [], leftovers: [] };
const splat = { title: 'WARNING: at a.c:1 in f', allowed: false };
const failed = { message: 'expected EBUSY', blame: 'kernel' } as const;
const unasked = { message: 'no SSH', blame: 'rig' } as const;
const panic = { kind: 'panic', message: 'Kernel panic: x' } as const;
const lost = { kind: 'qemu', message: 'QEMU was killed' } as const;
const bug = { because: 'commit 4dd86ca99ffc fixes it' };

describe('a case', () => {
  it.each<[string, Partial<CaseFacts>, Verdict, string | undefined]>([
    ['passes when nothing was wrong', {}, 'pass', undefined],
    ['passes with a splat that is allowed', { splats: [{ ...splat, allowed: true }] }, 'pass', undefined],
    ['fails by a step', { failures: [failed] }, 'fail', 'expected EBUSY'],
    ['fails by a splat though every step passed', { splats: [splat] }, 'fail', splat.title],
    ['tells how many splats', { splats: [splat, splat] }, 'fail', `${splat.title} (and 1 more)`],
    [
      'fails by what it leaves behind',
      { leftovers: ['region0 is there'] },
      'fail',
      'left behind: region0 is there',
    ],
    ['fails by a panic', { death: panic }, 'fail', panic.message],
    [
      'fails by a panic, whatever the rig lost by it',
      { death: panic, failures: [unasked] },
      'fail',
      panic.message,
    ],
    [
      'fails by a splat, though SSH was lost with it',
      { splats: [splat], failures: [unasked], death: { kind: 'ssh', message: 'gone' } },
      'fail',
      splat.title,
    ],
    [
      'fails when the guest shut down unasked',
      { death: { kind: 'shutdown', message: 'it powered off' } },
      'fail',
      'it powered off',
    ],
    ['is infra when the rig failed', { failures: [unasked] }, 'infra', 'no SSH'],
    [
      'is infra when QEMU died, not fail by the step that saw it',
      { death: lost, failures: [failed] },
      'infra',
      lost.message,
    ],
    [
      'is infra when a machine was stopped',
      { death: { kind: 'stopped', message: 'internal-error' } },
      'infra',
      'internal-error',
    ],
    [
      'is skipped when a requirement is not met',
      { unmet: 'kernel 6.12 has no state' },
      'skip',
      'kernel 6.12 has no state',
    ],
    [
      'is skipped when a step says that it lacks something',
      { lacking: 'missing fio' },
      'skip',
      'missing fio',
    ],
    [
      'fails when the kernel complained before a step said that it lacks something',
      { lacking: 'missing fio', splats: [splat] },
      'fail',
      splat.title,
    ],
    [
      'is a known bug when it fails as declared',
      { failures: [failed], knownBug: bug },
      'known-bug',
      `${bug.because}: expected EBUSY`,
    ],
    [
      'is a known bug when it panics as declared',
      { death: panic, knownBug: bug },
      'known-bug',
      `${bug.because}: ${panic.message}`,
    ],
    [
      'is fixed when a declared bug does not show',
      { knownBug: bug },
      'fixed',
      `declared as known bug (${bug.because}), but it passed`,
    ],
    [
      'passes when a declared race does not show',
      { knownBug: { ...bug, sometimes: true } },
      'pass',
      undefined,
    ],
    [
      'is a known bug when a declared race shows',
      { failures: [failed], knownBug: { ...bug, sometimes: true } },
      'known-bug',
      `${bug.because}: expected EBUSY`,
    ],
    [
      'is infra though a bug is declared, when the rig failed',
      { failures: [unasked], knownBug: bug },
      'infra',
      'no SSH',
    ],
  ])('%s', (_sentence, facts, verdict, reason) => {
    const { verdict: judged, reason: said } = judge({ ...clean, ...facts });
    expect({ verdict: judged, reason: said }).toEqual({ verdict, reason });
  });
});

it('a known bug says that it is a race where it is declared as one', () => {
  expect(judge({ ...clean, failures: [failed], knownBug: { ...bug, sometimes: true } }).isRace).toBe(true);
  expect(judge({ ...clean, failures: [failed], knownBug: bug }).isRace).toBeUndefined();
});

describe('the evidence is that of what is told', () => {
  const step = (id: string, received: unknown, blame: 'kernel' | 'rig' = 'kernel') => ({
    message: `step ${id} failed`,
    step: id,
    received,
    blame,
  });
  it.each<[string, Partial<CaseFacts>, string | undefined, string[]]>([
    [
      'the step, not the cleanup after it',
      { failures: [step('2', 1), step('cleanup.1', 2)] },
      '2',
      ['cleanup.1'],
    ],
    [
      'the step in which the guest panicked, not the one that failed before',
      { death: panic, failures: [step('2', 1), step('cleanup.1', 'panic')] },
      'cleanup.1',
      ['2'],
    ],
    [
      'the step of the splat, not the one that failed before',
      {
        splats: [{ ...splat, step: 'cleanup.1' }],
        failures: [step('2', 1), step('cleanup.1', splat.title)],
      },
      'cleanup.1',
      ['2'],
    ],
    [
      'what kept the rig from asking, not what a step expected in vain',
      { failures: [step('2', 1), step('3', 2, 'rig')] },
      '3',
      ['2'],
    ],
    ['none, when QEMU died beside the steps', { death: lost, failures: [step('2', 1)] }, undefined, ['2']],
  ])('%s', (_sentence, facts, told, besides) => {
    const judgement = judge({ ...clean, ...facts });
    expect(judgement.failure?.step).toBe(told);
    expect(judgement.besides?.map((one) => one.step)).toEqual(besides);
  });

  it.each<[Blame, Verdict]>([
    ['kernel', 'fail'],
    ['tool', 'fail'],
    ['scenario', 'infra'],
    ['emulator', 'infra'],
    ['rig', 'infra'],
  ])('a failure that the %s is to blame for is %s', (blame, verdict) => {
    expect(judge({ ...clean, failures: [{ message: 'x', blame }] }).verdict).toBe(verdict);
  });
});

describe('the exit code of a run', () => {
  const counts = (some: Partial<Record<Verdict, number>>) => ({
    pass: 0,
    fail: 0,
    skip: 0,
    'known-bug': 0,
    fixed: 0,
    infra: 0,
    ...some,
  });

  it.each([
    ['0 when nothing failed', counts({ pass: 3, skip: 1, 'known-bug': 1, fixed: 1 }), false, 0],
    ['1 when a case failed', counts({ pass: 3, fail: 1 }), false, 1],
    ['1 when a case failed and another was infra', counts({ fail: 1, infra: 1 }), false, 1],
    ['3 when a case was infra and none failed', counts({ pass: 1, infra: 1 }), false, 3],
    ['130 when it was interrupted, whatever happened', counts({ fail: 1 }), true, 130],
  ])('is %s', (_when, tally, interrupted, code) => {
    expect(exitCode(tally, interrupted)).toBe(code);
  });
});
