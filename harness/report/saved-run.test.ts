import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mergeRuns } from './merge.js';
import { findRun, readRun, type SavedRun } from './saved-run.js';
import { fixtureDir, fixtureRun } from './testing/fixture-run.js';
import { writeReports } from './write.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-report-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('a saved run', () => {
  test('is read whole, in the order in which its cases began', async () => {
    const { traces, summary } = await fixtureRun();
    expect(traces).toHaveLength(6);
    expect(traces.map(({ startedAt }) => startedAt)).toEqual(
      [...traces.map(({ startedAt }) => startedAt)].sort(),
    );
    expect(summary.counts).toMatchObject({ pass: 2, fail: 2, skip: 1, 'known-bug': 1 });
  });

  test('gives every report again', async () => {
    await cp(fixtureDir, dir, { recursive: true });
    const { summary, traces } = await readRun(dir);
    await writeReports(dir, summary, traces);
    for (const name of ['report.html', 'results.json', 'junit.xml', 'results.ktap', 'run.json']) {
      expect((await readFile(join(dir, name), 'utf8')).length, name).toBeGreaterThan(100);
    }
    const [trace] = traces;
    expect(await readFile(join(dir, trace?.artifacts ?? '', 'repro.sh'), 'utf8')).toMatch(/^#!\/bin\/sh\n/);
  });

  test('is found by path, by name, or as the newest', async () => {
    for (const name of ['2026-01-01', '2026-02-02'])
      await cp(fixtureDir, join(dir, name), { recursive: true });
    expect(await findRun(undefined, dir)).toBe(join(dir, '2026-02-02'));
    expect(await findRun('2026-01-01', dir)).toBe(join(dir, '2026-01-01'));
    expect(await findRun(join(dir, '2026-01-01'), 'elsewhere')).toBe(join(dir, '2026-01-01'));
    await expect(findRun('nope', dir)).rejects.toThrow('nope is not the folder of a run');
    await expect(findRun(undefined, join(dir, 'nope'))).rejects.toThrow('no finished run');
  });

  test.each([
    ['another version', '{"version":99}', 'has version 99 of the trace format'],
    ['no JSON', '{"version":', 'cannot be read'],
    ['a missing part', '{"version":1,"startedAt":1}', 'run.json is not a trace'],
  ])('with %s is refused with the file and the reason', async (_, text, message) => {
    await writeFile(join(dir, 'run.json'), text);
    await expect(readRun(dir)).rejects.toThrow(message);
  });
});

test('a case that left no trace of its own is kept all the same', async () => {
  const { summary, traces } = await fixtureRun();
  await writeReports(dir, summary, traces);
  expect((await readRun(dir)).traces).toEqual(traces);
});

describe('merging', () => {
  /** as another kernel ran it */
  const onKernel = (run: SavedRun, kernel: string): SavedRun => ({
    ...run,
    traces: run.traces.map((trace) => ({ ...trace, case: { ...trace.case, kernel } })),
  });

  test('puts shards together with the files of their cases', async () => {
    const run = await fixtureRun();
    const shards = [0, 1].map((shard) => ({ ...run, traces: run.traces.filter((_, n) => n % 2 === shard) }));
    const merged = await mergeRuns(shards, join(dir, 'merged'));
    expect(merged.traces.map(({ case: { id } }) => id)).toEqual(run.traces.map(({ case: { id } }) => id));
    expect(merged.summary).toMatchObject({ counts: run.summary.counts, exitCode: 1 });
    await writeReports(merged.dir, merged.summary, merged.traces);
    expect((await readRun(merged.dir)).traces).toHaveLength(6);
  });

  test('puts two kernels beside each other, each case with files of its own', async () => {
    const run = await fixtureRun();
    const merged = await mergeRuns([run, onKernel(run, 'patched')], join(dir, 'merged'));
    expect(merged.traces).toHaveLength(12);
    expect(new Set(merged.traces.map(({ artifacts }) => artifacts)).size).toBe(12);
  });

  test('refuses the same case twice, and a folder in use', async () => {
    const run = await fixtureRun();
    await expect(mergeRuns([run, run], join(dir, 'merged'))).rejects.toThrow('on kernel stock is in');
    await writeFile(join(dir, 'something'), '');
    await expect(mergeRuns([run], dir)).rejects.toThrow('is not empty');
  });
});
