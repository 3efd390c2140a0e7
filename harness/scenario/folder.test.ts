import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../base/errors.js';
import { findScenarios } from './find.js';
import { loadFolder } from './folder.js';
import { loadScenario } from './load.js';

let dir: string;
let scenario: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-folder-'));
  scenario = join(dir, 'mine.yaml');
  await writeFile(
    scenario,
    `cxlrig: 1
name: mine
description: a test
topology: one-volatile
requires: [{ kernel: '>=6.12' }]
steps: [{ exec: { sh: 'true' } }]
`,
  );
});
afterAll(() => rm(dir, { recursive: true }));

async function folderThatSays(text: string): Promise<string> {
  const file = join(dir, 'folder.yaml');
  await writeFile(file, text);
  return file;
}

async function requiredBy(file: string): Promise<unknown> {
  return (await loadScenario(file)).cases[0]?.requires;
}

describe('folder.yaml', () => {
  test('adds what it requires before what a scenario beside it does, and is no scenario', async () => {
    expect(await requiredBy(scenario)).toEqual([{ kernel: '>=6.12' }]);
    await folderThatSays('cxlrig: 1\nrequires: [{ driver: { bus: cxl, name: sysram_region } }]\n');
    expect(await requiredBy(scenario)).toEqual([
      { driver: { bus: 'cxl', name: 'sysram_region' } },
      { kernel: '>=6.12' },
    ]);
    expect(await findScenarios([dir])).toEqual([scenario]);
  });

  test.each([
    ['requires: [{ driver: { bus: cxl, nam: sysram_region } }]', /nam/],
    ["requires: [{ kernel: '>=7.3 <7.0' }]", /no version lies in the range/],
    ['requires: []', />=1|at least/i],
    ['require: []', /require/],
  ])('that is wrong (%s) is told with its place by all that read it', async (line, message) => {
    const file = await folderThatSays(`cxlrig: 1\n${line}\n`);
    await expect(loadFolder(file)).rejects.toThrow(message);
    const error: unknown = await loadScenario(scenario).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(/folder\.yaml:2:\d+: /);
    expect((error as UsageError).remedy).toBe(`cxlrig check ${file}`);
  });
});
