import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadScenario } from '../scenario/index.js';
import { loadTopology } from '../topology/index.js';
import { fits, needOf, type HeldMachine, type MachineNeed } from './machine-group.js';

async function reasonFor(text: string, { cold = false, cpus = 2 } = {}): Promise<string | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'cxlrig-choice-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, 'case.yaml');
  await writeFile(file, `cxlrig: 1\nname: A case\ndescription: A case.\ntopology: one-volatile\n${text}`);
  const [scenarioCase] = (await loadScenario(file)).cases;
  const machine = { ...(await loadTopology('one-volatile')), cpus };
  if (!scenarioCase) throw new Error('the scenario has a case');
  return needOf(scenarioCase, 'stock', machine, { cold }).coldReason;
}

const STEPS = 'steps:\n  - exec: { sh: echo }\n';
const PARALLEL =
  'steps:\n  - repeat:\n      times: 2\n      steps:\n' +
  '        - parallel:\n            - [{ exec: { sh: a } }]\n            - [{ exec: { sh: b } }]\n';

test('a case is resumed unless something speaks against it', async () => {
  expect(await reasonFor(STEPS)).toBeUndefined();
});

test('--cold, boot: cold and a command line of its own make it boot', async () => {
  expect(await reasonFor(STEPS, { cold: true })).toMatch(/--cold/);
  expect(await reasonFor(`boot: cold\n${STEPS}`)).toMatch(/boot: cold/);
  expect(await reasonFor(`kernel: { cmdline: [quiet] }\n${STEPS}`)).toMatch(/command line.*quiet/);
});

test('steps in parallel, at any depth, make it boot where there are CPUs to run them at once', async () => {
  expect(await reasonFor(PARALLEL)).toMatch(/parallel/);
  expect(await reasonFor(PARALLEL, { cpus: 1 })).toBeUndefined();
});

const NEED: MachineNeed = { kernel: 'stock', machineKey: 'one', isOwn: false };
const HELD: HeldMachine = { kernel: 'stock', machineKey: 'one', isCold: false, isUnused: false };

test.each<[string, Partial<MachineNeed>, Partial<HeldMachine>, boolean]>([
  ['serves another case of its machine', {}, {}, true],
  ['does not serve another kernel', { kernel: 'minimal' }, {}, false],
  ['does not serve another machine', { machineKey: 'two' }, {}, false],
  ['that was resumed does not serve a case that must boot', { coldReason: 'parallel' }, {}, false],
  ['that was booted does', { coldReason: 'parallel' }, { isCold: true }, true],
  ['that was booted serves one that need not', {}, { isCold: true }, true],
  ["that was used is nobody's own", { isOwn: true }, {}, false],
  ['that nobody used may be', { isOwn: true }, { isUnused: true }, true],
])('a guest %s', (_, need, held, does) => {
  expect(fits({ ...NEED, ...need }, { ...HELD, ...held })).toBe(does);
});
