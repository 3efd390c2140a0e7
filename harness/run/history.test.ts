import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Verdict } from '../trace/trace.js';
import type { Bootable } from './briefing.js';
import {
  filesThatFailed,
  NothingChanged,
  readHistory,
  thoseThatChanged,
  thoseThatFailed,
} from './history.js';
import type { PlannedCase } from './planned-case.js';
import { plannedCase } from './testing/planned.js';

const STARTED = Date.UTC(2026, 0, 2);

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cxlrig-history-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

/** A run of the cases as it lies on disk. */
async function keepRun(
  runs: string,
  name: string,
  cases: readonly (readonly [PlannedCase, Verdict])[],
): Promise<void> {
  const dir = join(runs, name);
  for (const [{ artifacts, machine }] of cases) {
    await mkdir(join(dir, artifacts), { recursive: true });
    await writeFile(join(dir, artifacts, 'trace.json'), JSON.stringify({ machine }));
  }
  const results = cases.map(([{ key, kernel, file, artifacts }, verdict]) => ({
    id: key,
    kernel,
    file,
    artifacts,
    verdict,
  }));
  await writeFile(join(dir, 'results.json'), JSON.stringify({ cases: results }));
  const environment = { kernels: [{ profile: 'stock', id: 'the-kernel' }] };
  await writeFile(join(dir, 'run.json'), JSON.stringify({ startedAt: STARTED, environment }));
}

const bootables = [{ kernel: { profile: 'stock', id: 'the-kernel' } }] as Bootable[];

test('those that failed last are those whose newest run says so, whatever that run was called for', async () => {
  const runs = await folder();
  const [mended, broken, fine] = [
    plannedCase(),
    plannedCase({ key: 'broken', caseId: 'broken' }),
    plannedCase(),
  ];
  await keepRun(runs, '2026-01-01', [
    [mended, 'fail'],
    [broken, 'infra'],
    [fine, 'pass'],
  ]);
  await keepRun(runs, '2026-01-02', [[mended, 'pass']]);
  await mkdir(join(runs, '2026-01-03'));
  const history = await readHistory(runs);
  expect(thoseThatFailed([mended, broken, fine], history)).toEqual([broken]);
  expect(() => thoseThatFailed([mended, fine], history)).toThrow('none of the 2 cases failed');
  expect(filesThatFailed(history)).toEqual([]);
});

test('changed is what is new, failed, or stands on another scenario, topology or kernel', async () => {
  const runs = await folder();
  const file = join(runs, 'a.yaml');
  await writeFile(file, '');
  const before = new Date(STARTED - 1000);
  await utimes(file, before, before);
  const [one, failed, fresh] = [plannedCase({ file }), plannedCase({ file }), plannedCase({ file })];
  await keepRun(runs, '2026-01-02', [
    [one, 'pass'],
    [failed, 'fail'],
  ]);
  const history = await readHistory(runs);
  expect(await thoseThatChanged([one, failed, fresh], bootables, history)).toEqual([failed, fresh]);
  await expect(thoseThatChanged([one], bootables, history)).rejects.toThrow(NothingChanged);
  const moved = { ...one, machine: { ...one.machine, id: 'another' } };
  expect(await thoseThatChanged([moved], bootables, history)).toEqual([moved]);
  const rebuilt = [{ kernel: { profile: 'stock', id: 'another' } }] as Bootable[];
  expect(await thoseThatChanged([one], rebuilt, history)).toEqual([one]);
  await writeFile(file, 'edited');
  expect(await thoseThatChanged([one], bootables, history)).toEqual([one]);
});
