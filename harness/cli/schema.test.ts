import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { findScenarios } from '../scenario/index.js';
import { listTopologies } from '../topology/index.js';
import { referenceText, schemaText, type SchemaName } from './schema.js';

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

const REFERENCES: readonly (readonly [SchemaName, string])[] = [
  ['topology', 'scenarios/TOPOLOGY.md'],
  ['kernel', 'kernel-configs/PROFILE.md'],
  ['tools', 'images/tools/TOOLS.md'],
];

describe('the references that people read', () => {
  test.each(REFERENCES)('of the %s language: %s is current (vitest -u writes it)', async (language, name) => {
    const file = join(packageRoot, name);
    const options = await resolveConfig(file);
    const text = await format(referenceText(language), { ...options, filepath: file });
    await expect(text).toMatchFileSnapshot(file);
  });

  test.each(REFERENCES)('of the %s language says what each key is for, and of which form', (language) => {
    const lines = referenceText(language)
      .split('\n')
      .filter((line) => /^ *- `/.test(line));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line).toMatch(/`(?: \(|: )/);
  });

  test('there is none of what nobody writes', () => {
    expect(() => referenceText('trace')).toThrow('nothing that people write');
  });
});

async function schemaNamedIn(file: string): Promise<string | undefined> {
  const [, path] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(await readFile(file, 'utf8')) ?? [];
  return path && relative(packageRoot, join(file, '..', path));
}
