import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../base/places.js';
import { languageReference } from './language-reference.js';
import { scenarioJsonSchema } from './json-schema.js';
import { step, stepKinds, type StepKind } from './language.js';
import { loadScenarioText } from '../load/load.js';

const kinds = Object.keys(stepKinds) as StepKind[];
const reference = languageReference();

describe('the language reference', () => {
  test('scenarios/LANGUAGE.md is what the schema says (vitest -u writes it)', async () => {
    await expect(reference).toMatchFileSnapshot(join(packageRoot, 'scenarios/LANGUAGE.md'));
  });

  test('is formatted as the project formats Markdown', async () => {
    const file = join(packageRoot, 'scenarios/LANGUAGE.md');
    const options = await resolveConfig(file);
    expect(await format(reference, { ...options, filepath: file })).toBe(reference);
  });

  test('begins with a scenario that is valid', async () => {
    const [, example] =
      /```yaml\n(cxlrig[^]*?)```/.exec(readFileSync(join(packageRoot, 'scenarios/LANGUAGE.md'), 'utf8')) ??
      [];
    const { cases } = await loadScenarioText(example ?? '', 'example.yaml');
    expect(cases.map(({ id }) => id)).toContain('example [policy=offline, size=256M]');
  });

  test.each(kinds)('has a valid example of %s', (kind) => {
    const [, section] = reference.split(`\n### ${kind}\n`);
    const [, example] = /```yaml\n([^]*?)```/.exec(section ?? '') ?? [];
    const steps = parse(example ?? '') as unknown[];
    expect(steps).toHaveLength(1);
    expect(step.safeParse(steps[0]).error).toBeUndefined();
    expect(steps[0]).toHaveProperty(kind);
  });
});

test('every step kind is described', () => {
  for (const kind of kinds) expect(z.globalRegistry.get(stepKinds[kind])?.description, kind).toMatch(/\w{3}/);
});

describe('the JSON Schema', () => {
  const definitions = scenarioJsonSchema()['definitions'] as Record<
    string,
    { properties: Record<string, unknown> }
  >;

  test('lets a reference stand for a value of another type', () => {
    const region = definitions['step']?.properties['create-region'];
    expect(region).toMatchObject({
      description: 'creates, programs and commits a region by raw sysfs writes',
      properties: {
        commit: { anyOf: [{ type: 'boolean' }, { $ref: '#/definitions/reference' }], default: true },
        as: { description: 'captures the region name' },
      },
    });
  });

  test('describes each step kind and gives an example', () => {
    for (const kind of kinds) {
      const property = definitions['step']?.properties[kind] as Record<string, unknown>;
      expect(property['description'], kind).toBeTypeOf('string');
      expect(property['examples'], kind).toBeInstanceOf(Array);
    }
  });
});
