import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseDocument } from '../base/document/document.js';
import { packageRoot } from '../base/places.js';

/** images/suites/*.yaml: what the suites of others take, beside what every guest and kernel has. */

const names = z.array(z.string().min(1));
const line = z.string().min(1).meta({ description: 'sh in the guest; $COMMAND and $COLLECTION are put in' });

const collection = z.strictObject({
  topology: z.string().optional(),
  steps: z
    .array(z.record(z.string(), z.unknown()))
    .optional()
    .meta({ description: 'of the scenario language, before each of its tests' }),
  run: line.optional(),
});

const knownBug = z.strictObject({
  tests: names.min(1),
  kernel: z.string().optional().meta({ description: 'version range' }),
  because: z.string().min(1),
});

const recipe = z.strictObject({
  cxlrig: z.literal(1),
  description: z.string().min(1),
  kernel: z.strictObject({ fragments: names.default([]), modules: names.default([]) }),
  guest: z.strictObject({
    packages: names.default([]),
    modules: names.default([]),
    files: z.record(z.string().startsWith('/'), z.string()).default({}),
  }),
  sysroot: z.strictObject({ packages: names.default([]) }).default({ packages: [] }),
  run: line,
  skip: z.number().int(),
  ktap: z.boolean().default(false),
  topology: z.string().meta({ description: 'a name, or a file beside the recipe' }),
  collections: z.record(z.string(), collection).default({}),
  'known-bugs': z.array(knownBug).default([]),
});

export type SuiteRecipe = z.output<typeof recipe>;

export const suiteNames = ['ndctl', 'kselftest'] as const;
export type SuiteName = (typeof suiteNames)[number];

/** @throws DocumentError when it does not satisfy its schema */
export async function readSuiteRecipe(name: SuiteName): Promise<SuiteRecipe> {
  const folder = join(packageRoot, 'images', 'suites');
  const file = join(folder, `${name}.yaml`);
  const { value } = parseDocument(await readFile(file, 'utf8'), file, recipe);
  return {
    ...value,
    topology: value.topology.endsWith('.yaml') ? join(folder, value.topology) : value.topology,
  };
}
