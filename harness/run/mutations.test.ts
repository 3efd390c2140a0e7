import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../base/places.js';
import { findScenarios, loadScenario } from '../scenario/index.js';

const folder = join(packageRoot, 'kernel-configs/series/region-drivers-broken');

interface Mutation {
  readonly patch: string;
  readonly quick?: true;
  readonly red: readonly string[];
}

async function declared(): Promise<readonly Mutation[]> {
  const text = await readFile(join(folder, 'mutations.yaml'), 'utf8');
  return (parse(text) as { readonly mutations: readonly Mutation[] }).mutations;
}

describe('the broken variants of the region-drivers series', () => {
  test('are each declared, with what is broken in the head of the patch', async () => {
    const patches = (await readdir(folder)).filter((name) => name.endsWith('.patch')).sort();
    expect((await declared()).map(({ patch }) => patch)).toEqual(patches);
    for (const patch of patches) {
      expect(await readFile(join(folder, patch), 'utf8')).toMatch(/^Broken: .+$/m);
    }
  });

  test('must each turn cases red that there are', async () => {
    const files = await findScenarios(['dax_region', 'sysram_region', 'pmem_region']);
    const scenarios = await Promise.all(files.map((file) => loadScenario(file)));
    const ids = new Set(scenarios.flatMap(({ cases }) => cases.map(({ id }) => id)));
    for (const { red } of await declared()) {
      expect(red.length).toBeGreaterThan(0);
      expect(red.filter((id) => !ids.has(id))).toEqual([]);
    }
  });

  test('are at least six in scripts/test', async () => {
    expect((await declared()).filter(({ quick }) => quick).length).toBeGreaterThanOrEqual(6);
  });
});
