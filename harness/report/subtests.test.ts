import { mkdtempSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sampleRun } from './testing/sample-run.js';
import type { CaseTrace } from '../trace/trace.js';
import { writeReports } from './write.js';

test('what a suite within a case said of its tests stands in KTAP and in JUnit', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'cxlrig-subtests-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const { summary, traces } = await sampleRun();
  const [sample] = traces as [CaseTrace];
  const [first, ...others] = sample.steps;
  if (!first) throw new Error('the sample has no steps');
  const subtests = [
    { name: 'first #1', verdict: 'pass' },
    { name: 'second', verdict: 'fail' },
    { name: 'third', verdict: 'skip', reason: 'no hugepages' },
  ] as const;
  const trace = { ...sample, steps: [{ ...first, subtests }, ...others], artifacts: 'case' };
  mkdirSync(join(dir, 'case'));
  await writeReports(dir, summary, [trace]);
  expect(readFileSync(join(dir, 'results.ktap'), 'utf8').split('\n').slice(2, 8)).toEqual([
    '  KTAP version 1',
    '  1..3',
    '  ok 1 first 1',
    '  not ok 2 second',
    '  ok 3 third # SKIP no hugepages',
    `ok 1 ${sample.case.id}`,
  ]);
  const junit = readFileSync(join(dir, 'junit.xml'), 'utf8');
  expect(junit).toContain('tests="4" failures="1" errors="0" skipped="1"');
  expect(junit).toContain('<skipped message="no hugepages"/>');
});
