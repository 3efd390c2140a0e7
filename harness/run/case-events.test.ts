import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sampleRun } from '../report/testing/sample-run.js';
import type { RunEvent } from '../trace/trace.js';
import { EVENTS_FILE, recordedEvents, stepsSoFar } from './case-events.js';

const [sample] = (await sampleRun()).traces;
const [done, cut] = sample?.steps ?? [];

function runDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'cxlrig-events-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

test('each event is on disk before it is told, and gone with the end of the case', () => {
  const dir = runDir();
  const file = join(dir, EVENTS_FILE);
  const events = recordedEvents(dir, { artifacts: '' }, (event) => {
    expect(readFileSync(file, 'utf8')).toContain(JSON.stringify(event));
  });
  events.emit({ type: 'guest', at: 1, phase: 'ready' });
  events.emit({ type: 'guest', at: 2, phase: 'reused' });
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
  events.close();
  expect(() => readFileSync(file)).toThrow('ENOENT');
});

test('of a case that was cut short there are the steps that ended, and the lines of the one that did not', () => {
  if (!done || !cut) throw new Error('the sample has two steps');
  const dir = runDir();
  const { emit } = recordedEvents(dir, { artifacts: '' }, () => undefined);
  const [line] = done.lines;
  if (!line) throw new Error('the sample has a line');
  const events: RunEvent[] = [
    { type: 'step-started', at: done.startedAt, step: done },
    { type: 'step-ended', at: done.startedAt + 10, step: done },
    { type: 'step-started', at: cut.startedAt, step: { ...cut } },
    { type: 'line', at: cut.startedAt + 5, step: cut.id, line },
  ];
  for (const event of events) emit(event);
  appendFileSync(join(dir, EVENTS_FILE), '{"type":"line","at":17');
  const [whole, half, ...more] = stepsSoFar(dir, { artifacts: '' });
  expect(whole).toEqual(JSON.parse(JSON.stringify(done)));
  expect(half).toMatchObject({
    id: cut.id,
    outcome: 'skipped',
    lines: [{ text: line.text }],
    milliseconds: 5,
  });
  expect(more).toEqual([]);
});

test('a case that never began has none', () => {
  expect(stepsSoFar(runDir(), { artifacts: 'nowhere' })).toEqual([]);
});
