import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../base/errors.js';
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

  test('that says nothing is refused', async () => {
    await expect(loadFolder(await folderThatSays('cxlrig: 1\n'))).rejects.toThrow(/says nothing/);
  });
});

describe('a list of steps', () => {
  const LISTS = `cxlrig: 1
steps:
  make:
    takes: { as: r, bytes: 256M, devices: null }
    steps:
      - create-region: { as: '\${as}', targets: '\${devices}', size: '\${bytes}' }
      - exec: { sh: 'echo \${as} has \${bytes}' }
      - expect: { region: { name: 'r', exists: true }, within: 1s }
`;
  const scenarioThatUses = async (...lines: readonly string[]): Promise<string> => {
    const file = join(dir, 'using.yaml');
    const steps = lines.map((line) => `  - ${line}\n`).join('');
    await writeFile(
      file,
      `cxlrig: 1\nname: n\ndescription: d\ntopology: one-volatile\nmatrix: { size: [256M, 512M] }\nsteps:\n${steps}`,
    );
    return file;
  };
  const faultsOf = async (...lines: readonly string[]): Promise<string> =>
    loadScenario(await scenarioThatUses(...lines)).then(
      () => 'none',
      (error: unknown) => (error as Error).message,
    );

  test('stands for its steps, each at its own place, with the values given and the others', async () => {
    await folderThatSays(LISTS.replace('', ''));
    const file = await scenarioThatUses(
      "use: make\n    with: { bytes: '${size}', devices: [mem0] }",
      'repeat: { times: 2, steps: [{ read: { of: r, attr: size } }] }',
    );
    const { cases } = await loadScenario(file);
    expect(cases.map(({ steps }) => steps.map(({ document }) => Object.keys(document)[0]))).toEqual([
      ['create-region', 'exec', 'expect', 'repeat'],
      ['create-region', 'exec', 'expect', 'repeat'],
    ]);
    const [create, exec, , repeat] = cases[1]?.steps ?? [];
    expect(create?.document['create-region']).toMatchObject({ as: 'r', targets: ['mem0'], size: '512M' });
    expect(exec?.document.exec).toMatchObject({ sh: 'echo r has 512M' });
    expect(create?.position).toMatchObject({ file: join(dir, 'folder.yaml'), line: 6 });
    expect(repeat?.position).toMatchObject({ file, line: 9 });
  });

  test.each([
    ['use: mak', /using\.yaml:7:10: there is no list "mak"[^]*did you mean "?make/],
    ['use: make', /takes a value for "devices", and none is given[^]*with: \{ devices: \.\.\. \}/],
    ['use: make\n    with: { devices: [mem0], size: 1G }', /takes no "size"/],
    ['use: make\n    with: { devices: [mem0] }\n    fails: EBUSY', /`fails` means nothing beside `use`/],
    ['exec: { sh: "true" }\n    with: { a: 1 }', /`with` gives a list its values: it needs `use`/],
  ])('that is used wrongly (%s) is told at its place', async (line, message) => {
    await folderThatSays(LISTS.replace('', ''));
    expect(await faultsOf(line)).toMatch(message);
  });

  test('that is wrong for who uses it is told at the place in the list', async () => {
    await folderThatSays(LISTS.replace('', '').replace('within: 1s', 'within: soon'));
    expect(await faultsOf('use: make\n    with: { devices: [mem0] }')).toMatch(
      /folder\.yaml:8:\d+: "soon" is not a duration/,
    );
  });

  test.each([
    ['steps: { a: { steps: [{ use: b }] } }', /uses no other list/],
    ['steps: { a: { steps: [{ when: { x: 1 }, reboot: {} }] } }', /has no cases/],
    ['steps: { a: { takes: { b: 1 }, steps: [{ reboot: {} }] } }', /no step of the list has \$\{b\}/],
    ['steps: { a: { steps: [] } }', /at least 1 entry/],
  ])('that is wrong by itself (%s) is refused', async (line, message) => {
    await expect(loadFolder(await folderThatSays(`cxlrig: 1\n${line}\n`))).rejects.toThrow(message);
  });

  test('that is used over and over is refused when it becomes too much', async () => {
    const list = Array.from({ length: 400 }, () => "      - exec: { sh: '" + 'x'.repeat(1000) + "' }\n");
    await folderThatSays(`cxlrig: 1\nsteps:\n  long:\n    steps:\n${list.join('')}`);
    const began = performance.now();
    expect(await faultsOf(...Array.from({ length: 2000 }, () => 'use: long'))).toMatch(/too large/);
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
