import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CaseTrace } from '../trace/trace.js';
import { cxlrig, workFolder } from '../testing/command.js';

const SCENARIO = `cxlrig: 1
name: A granularity that the window has not
description: It is refused.
topology: two-bridges
steps:
  - create-region: { as: r, targets: [mem0, mem1], size: 512M, granularity: 512 }
`;

async function traceIn(out: string): Promise<CaseTrace> {
  const cases = join(out, (await readdir(out))[0] ?? '', 'cases');
  const folder = join(cases, (await readdir(cases))[0] ?? '');
  return JSON.parse(await readFile(join(folder, 'trace.json'), 'utf8')) as CaseTrace;
}

test('a case that fails is run once more, and tells what the kernel says and calls in the step', async () => {
  const dir = await workFolder();
  const file = join(dir, 'mine.yaml');
  await writeFile(file, SCENARIO);
  const { exitCode, text } = await cxlrig(['run', file, '--out', join(dir, 'runs')]);
  expect(exitCode).toBe(1);
  expect(text).toMatch(
    /evidence +a further run with debug messages \(fail\): \d+ lines? of the kernel in this step, and the calls/,
  );
  const { evidence, verdict, attempts } = await traceIn(join(dir, 'runs'));
  expect([verdict, evidence?.verdict, attempts]).toEqual(['fail', 'fail', undefined]);
  const [step] = evidence?.steps ?? [];
  expect(step?.log).toContain('decoder0.0: created region0');
  expect(step?.calls).toMatch(/dev_attr_store\(\) \{\n +interleave_granularity_store\(\)/);

  await cxlrig(['run', file, '--no-evidence', '--out', join(dir, 'without')]);
  expect((await traceIn(join(dir, 'without'))).evidence).toBeUndefined();
});
