import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../base/errors.js';
import { findScenarios, scenarioName, shippedScenarios } from './find.js';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-find-'));
  for (const file of [
    'scenarios/a.yaml',
    'scenarios/deep/b.yml',
    'scenarios/topologies/t.yaml',
    'other/a.yaml',
    'other/x.txt',
  ]) {
    await mkdir(join(dir, file, '..'), { recursive: true });
    await writeFile(join(dir, file), '');
  }
});
afterAll(() => rm(dir, { recursive: true }));

const refusal = async (...wanted: string[]): Promise<UsageError> => {
  const error: unknown = await findScenarios(wanted).catch((caught: unknown) => caught);
  if (error instanceof UsageError) return error;
  throw new Error(`not refused: ${String(error)}`);
};

describe('scenarios are found', () => {
  test('by the names of those that the package ships, one or a folder of them', async () => {
    const one = await findScenarios(['current/region-to-kmem']);
    expect(one).toEqual([join(shippedScenarios, 'current/region-to-kmem.yaml')]);
    expect(await findScenarios(['current'])).toContain(one[0]);
  });

  test('all that the package ships when nothing is asked for, without the topologies', async () => {
    const all = await findScenarios();
    expect(all.length).toBeGreaterThan(10);
    expect(all.filter((file) => file.includes('topologies'))).toEqual([]);
  });

  test('in a folder and all below it, without topologies', async () => {
    expect(await findScenarios([join(dir, 'scenarios')])).toEqual([
      join(dir, 'scenarios/a.yaml'),
      join(dir, 'scenarios/deep/b.yml'),
    ]);
  });

  test('by pattern', async () => {
    expect(await findScenarios([join(dir, 'scenarios/**/b.*')])).toEqual([join(dir, 'scenarios/deep/b.yml')]);
    expect((await findScenarios(['current/dax-*'])).map(scenarioName)).toContain('current/dax-state');
  });

  test('once, however often they are asked for', async () => {
    const file = join(dir, 'scenarios/a.yaml');
    expect(await findScenarios([file, join(dir, 'scenarios'), file])).toEqual([
      file,
      join(dir, 'scenarios/deep/b.yml'),
    ]);
  });
});

describe('what is not there is refused', () => {
  test('with the name that was likely meant', async () => {
    expect((await refusal('current/region-to-kmen')).remedy).toBe('did you mean current/region-to-kmem?');
    expect((await refusal('curent')).remedy).toBe('did you mean current?');
    expect((await refusal(join(dir, 'other/b.yaml'))).remedy).toBe('did you mean a.yaml?');
  });

  test('also a folder without scenarios', async () => {
    expect((await refusal(join(dir, 'scenarios/topologies/..', '..', 'other'), 'nothing')).message).toContain(
      '"nothing"',
    );
    await mkdir(join(dir, 'empty'), { recursive: true });
    expect((await refusal(join(dir, 'empty'))).message).toContain('there is no scenario in the folder');
  });

  test('two files of one name, because results are compared by it', async () => {
    expect((await refusal(join(dir, 'scenarios/a.yaml'), join(dir, 'other/a.yaml'))).message).toMatch(
      /^two scenarios are called a: /,
    );
  });
});

test.each([
  ['/src/cxlrig/scenarios/current/kmem.yaml', 'current/kmem'],
  ['/home/me/scenarios/old/scenarios/x.yml', 'x'],
  ['/home/me/bug.yaml', 'bug'],
  ['/home/scenarios.yaml', 'scenarios'],
])('%s is called %s, wherever it is looked at from', (file, name) => {
  expect(scenarioName(file)).toBe(name);
});
