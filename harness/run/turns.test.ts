import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sampleRun } from '../report/testing/sample-run.js';
import type { CaseTrace, Verdict } from '../trace/trace.js';
import type { CaseResult } from './ledger.js';
import { plannedCase } from './testing/planned.js';
import { foldTurns, forgetTurn } from './turns.js';

const [sample] = (await sampleRun()).traces as [CaseTrace];

function runDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'cxlrig-turns-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

function turns(dir: string, verdicts: readonly Verdict[]): CaseResult[] {
  return verdicts.map((verdict, n) => {
    const artifacts = `cases/race/turn-${n + 1}`;
    mkdirSync(join(dir, artifacts), { recursive: true });
    const reason = verdict === 'pass' ? {} : { reason: `EBUSY in turn ${n + 1}` };
    const trace = { ...sample, verdict, ...reason, artifacts };
    writeFileSync(join(dir, artifacts, 'trace.json'), JSON.stringify(trace));
    const planned = plannedCase({
      key: `race #${n + 1}`,
      artifacts,
      turn: { number: n + 1, of: { key: 'race', artifacts: 'cases/race' } },
    });
    return { planned, verdict, ...reason, milliseconds: 10 };
  });
}

function traceIn(dir: string): CaseTrace {
  return JSON.parse(readFileSync(join(dir, 'cases/race/trace.json'), 'utf8')) as CaseTrace;
}

test('a case that failed in some of its turns failed, with its rate and the trace of the first that did', () => {
  const dir = runDir();
  const [result, ...more] = foldTurns(dir, turns(dir, ['pass', 'pass', 'fail', 'pass', 'fail']));
  expect(more).toEqual([]);
  expect(result).toMatchObject({ verdict: 'fail', planned: { key: 'race' }, rate: { failed: 2, runs: 5 } });
  const trace = traceIn(dir);
  expect(trace.case.id).toBe('race');
  expect(trace.artifacts).toBe('cases/race/turn-3');
  expect(trace.reason).toMatch(
    /^failed in 2 of 5 runs \(40 %; with 95 % confidence between 12 and 77 %\): EBUSY in turn 3$/,
  );
  expect(trace.attempts?.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'fail', 'pass', 'fail']);
});

test('a case that passed in all of its turns passed', () => {
  const dir = runDir();
  expect(foldTurns(dir, turns(dir, ['pass', 'pass']))).toMatchObject([
    { verdict: 'pass', rate: { failed: 0, runs: 2 } },
  ]);
  expect(traceIn(dir)).toMatchObject({ verdict: 'pass', artifacts: 'cases/race/turn-1' });
});

test('of turns that passed only the first leaves anything', () => {
  const dir = runDir();
  const results = turns(dir, ['pass', 'pass', 'fail']);
  for (const result of results) forgetTurn(dir, result);
  const left = results.map(({ planned: { artifacts } }) => existsSync(join(dir, artifacts)));
  expect(left).toEqual([true, false, true]);
});

test('cases that were run once stay as they are', () => {
  const result: CaseResult = { planned: plannedCase(), verdict: 'pass', milliseconds: 1 };
  expect(foldTurns(runDir(), [result])).toEqual([result]);
});
