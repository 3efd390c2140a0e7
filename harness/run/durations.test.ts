import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { durationOf, estimateMs, keepDurations, readDurations } from './durations.js';

async function cache(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cxlrig-durations-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

test('what runs took is kept, the newest of each case', async () => {
  const root = await cache();
  expect(await readDurations(root)).toEqual(new Map());
  await keepDurations(
    new Map([
      ['a @stock', 100],
      ['b @stock', 200],
    ]),
    root,
  );
  await keepDurations(new Map([['a @stock', 300]]), root);
  expect(await readDurations(root)).toEqual(
    new Map([
      ['b @stock', 200],
      ['a @stock', 300],
    ]),
  );
});

test('a file that is damaged counts for none', async () => {
  const root = await cache();
  await mkdir(join(root, 'durations'));
  await writeFile(join(root, 'durations/cases.json'), '[["a", "long"], ["b", 3]');
  expect(await readDurations(root)).toEqual(new Map());
  await writeFile(join(root, 'durations/cases.json'), '[["a", "long"], ["b", 3]]');
  expect(await readDurations(root)).toEqual(new Map([['b', 3]]));
});

test('the start of a guest is not the case that it was started for', () => {
  const guest = { reused: false, bootMilliseconds: 1500 } as never;
  expect(durationOf({ milliseconds: 2000, guest })).toBe(500);
  expect(durationOf({ milliseconds: 2000, guest: { reused: true, bootMilliseconds: 1500 } as never })).toBe(
    2000,
  );
});

test('without earlier runs a case is taken to be as long as it has steps, those of a loop many times', () => {
  const step = (document: object, branches: unknown[] = []): never => ({ document, branches }) as never;
  const short = estimateMs({ steps: [step({})], cleanup: [] });
  const loop = step({ repeat: { times: 50 } }, [[step({}), step({})]]);
  expect(estimateMs({ steps: [loop], cleanup: [] })).toBeGreaterThan(40 * short);
});
