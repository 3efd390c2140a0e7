import { expect, test } from 'vitest';
import { growthOf } from './processes.js';
import { soakReport } from './report.js';
import type { Round } from './round.js';
import { falseVerdicts, type SoakedCase } from './verdicts.js';

const pass = (id: string): SoakedCase => ({ id, verdict: 'pass' });

function round(changes: Partial<Round> = {}): Round {
  return {
    cases: [pass('a'), pass('b')],
    skipped: 1,
    guests: { resumed: 1, booted: 0, fellBack: 0 },
    exitCode: 0,
    growths: [],
    processesLeft: [],
    filesLeft: [],
    cache: ['kernels/x'],
    ...changes,
  };
}

test('the verdict that a case got most often is the truth, and infra never is', () => {
  const cases = [pass('a'), { ...pass('a'), verdict: 'fail' as const }, pass('a')];
  expect(falseVerdicts(cases)).toEqual([{ id: 'a', verdict: 'fail', truth: 'pass' }]);
  const always = [1, 2].map(() => ({ id: 'b', verdict: 'infra' as const }));
  expect(falseVerdicts(always)).toHaveLength(2);
  expect(falseVerdicts([1, 2].map(() => ({ id: 'c', verdict: 'fail' as const })))).toEqual([]);
});

test('growth is from the second quarter of a life to the last, by medians', () => {
  const samples = Array.from({ length: 16 }, (_, n) => ({
    memory: n === 14 ? 9_000 : 10 * n,
    descriptors: 5,
  }));
  expect(growthOf(samples)).toEqual({ memory: [60, 150], descriptors: [5, 5] });
  expect(growthOf(samples.slice(0, 5))).toBeUndefined();
});

test('a soak without fault is good, and tells how sure that is', () => {
  const { text, good } = soakReport([round(), round()], 3, '2');
  expect(good).toBe(true);
  expect(text).toContain('4 cases in 2 rounds, 3.0 min');
  expect(text).toContain('false verdicts  0 of 4 (a rate below 75.0 %');
});

test.each<[string, Partial<Round>, RegExp]>([
  [
    'a verdict changes',
    { cases: [{ ...pass('a'), verdict: 'fail', reason: 'EBUSY' }] },
    /a: fail, else pass: EBUSY/,
  ],
  ['a process is left', { processesLeft: ['qemu-system-x86_64'] }, /processes left {2}1\n {2}qemu/],
  ['a file is left', { filesLeft: ['id_ed25519'] }, /files left {6}1 /],
  ['the cache grows', { cache: ['kernels/x', 'images/y.draft-1'] }, /images\/y\.draft-1/],
  [
    'memory grows',
    { growths: [{ memory: [100, 190], descriptors: [20, 20] }] },
    /100 MiB, later 190 MiB.*\n.*\n1 of 1 /,
  ],
  ['descriptors grow', { growths: [{ memory: [100, 110], descriptors: [20, 40] }] }, /20, later 40/],
  ['nothing was run', { cases: [], exitCode: 3 }, /exit code 3/],
])('a soak in which %s is not good', (_, fault, says) => {
  const { text, good } = soakReport([round(), round(), round(fault)], 3, '2');
  expect(good).toBe(false);
  expect(text).toMatch(says);
});
