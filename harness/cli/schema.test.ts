import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { findScenarios } from '../scenario/index.js';
import { listTopologies } from '../topology/index.js';
import { schemaText, type SchemaName } from './schema.js';

const KEPT: readonly (readonly [SchemaName, string])[] = [
  ['scenario', 'scenarios/scenario.schema.json'],
  ['topology', 'scenarios/topology.schema.json'],
  ['kernel', 'kernel-configs/profile.schema.json'],
  ['tools', 'images/tools/tools.schema.json'],
];

describe('the schemas that editors use', () => {
  test.each(KEPT)('of the %s language: %s is current (vitest -u writes it)', async (language, file) => {
    await expect(schemaText(language)).toMatchFileSnapshot(join(packageRoot, file));
  });

  test('each shipped scenario names its schema in the first line', async () => {
    for (const file of await findScenarios()) {
      expect(await schemaNamedIn(file), file).toBe('scenarios/scenario.schema.json');
    }
  });

  test('each shipped topology names its schema in the first line', async () => {
    for (const { file } of await listTopologies()) {
      expect(await schemaNamedIn(file), file).toBe('scenarios/topology.schema.json');
    }
  });
});

async function schemaNamedIn(file: string): Promise<string | undefined> {
  const [, path] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(await readFile(file, 'utf8')) ?? [];
  return path && relative(packageRoot, join(file, '..', path));
}
