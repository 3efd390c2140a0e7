import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../base/places.js';
import { findScenarios, loadScenario } from '../scenario/index.js';

const series = join(packageRoot, 'kernel-configs/series');

interface Mutation {
  readonly patch: string;
  readonly quick?: true;
  readonly red: readonly string[];
}

async function declared(folder: string): Promise<readonly Mutation[]> {
  const text = await readFile(join(folder, 'mutations.yaml'), 'utf8');
  return (parse(text) as { readonly mutations: readonly Mutation[] }).mutations;
}

describe.each([
  ['region-drivers', ['dax_region', 'sysram_region', 'pmem_region'], 6],
  ['dynamic-capacity', ['dynamic_capacity'], 3],
  ['dynamic-capacity-mocks', ['dynamic_capacity_mocks'], 1],
  ['reported', ['reported', 'firmware'], 0],
] as const)('the broken variants of the series %s', (name, scenarios, quick) => {
  const folder = join(series, `${name}-broken`);

  test('are each declared, with what is broken in the head of the patch', async () => {
    const patches = (await readdir(folder)).filter((file) => file.endsWith('.patch')).sort();
    expect((await declared(folder)).map(({ patch }) => patch)).toEqual(patches);
    for (const patch of patches) {
      expect(await readFile(join(folder, patch), 'utf8')).toMatch(/^Broken: .+$/m);
    }
  });

  test('must each turn cases red that there are', async () => {
    const loaded = await Promise.all((await findScenarios(scenarios)).map((file) => loadScenario(file)));
    const ids = new Set(loaded.flatMap(({ cases }) => cases.map(({ id }) => id)));
    for (const { red } of await declared(folder)) {
      expect(red.length).toBeGreaterThan(0);
      expect(red.filter((id) => !ids.has(id))).toEqual([]);
    }
  });

  test('are some of them in scripts/test', async () => {
    expect((await declared(folder)).filter((one) => one.quick).length).toBeGreaterThanOrEqual(quick);
  });
});
