import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadScenario, type ScenarioCase } from '../scenario/index.js';
import { readSuiteRecipe, suiteNames, type SuiteRecipe } from './recipe.js';
import { suiteScenario } from './scenario.js';

const TESTS = [
  { name: 'first.sh', command: 'bash ./first.sh', timeout: 600 },
  { name: 'second', command: './second', timeout: 90 },
];

async function casesOf(collection: string, recipe: SuiteRecipe): Promise<readonly ScenarioCase[]> {
  const dir = mkdtempSync(join(tmpdir(), 'cxlrig-suite-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, `${collection}.yaml`);
  writeFileSync(file, suiteScenario(collection, TESTS, recipe));
  return (await loadScenario(file)).cases;
}

describe.each(suiteNames)('the scenario of %s', (name) => {
  test.each(['cxl', 'dax'])('has a case for each test of %s, with its own time', async (collection) => {
    const cases = await casesOf(collection, await readSuiteRecipe(name));
    expect(cases.map(({ id }) => id)).toEqual([`${collection} [first.sh]`, `${collection} [second]`]);
    const own = cases.map(({ steps }) => steps.at(-1)?.document);
    expect(own.map((step) => step?.timeout)).toEqual(['600s', '90s']);
    for (const step of own) expect(step?.exec?.sh).not.toMatch(/COMMAND|COLLECTION|[{]command/);
    expect(own[0]?.exec?.sh).toMatch(/bash \.\/first\.sh$/);
  });
});

test('a test that is known to fail is declared, with its cause, on the kernels where it does', async () => {
  const recipe = await readSuiteRecipe('ndctl');
  const bug = { tests: ['second', 'of another collection'], kernel: '>=7.3', because: 'commit 1234' };
  const cases = await casesOf('cxl', { ...recipe, 'known-bugs': [bug] });
  expect(cases.map(({ knownBugs }) => knownBugs.map(({ because }) => because))).toEqual([
    [],
    ['commit 1234'],
  ]);
});
