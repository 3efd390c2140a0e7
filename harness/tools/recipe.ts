import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseDocument } from '../base/document/document.js';
import { packageRoot } from '../base/places.js';

const schema = z.strictObject({
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, "must be a package's name")).min(1),
  includes: z.array(z.string().startsWith('/')),
  options: z.record(z.string(), z.string()),
});

/** images/tools-build.yaml: what the tools are compiled against, and how. */
export type BuildRecipe = z.output<typeof schema>;

/** @throws DocumentError when it does not satisfy its schema */
export async function readBuildRecipe(): Promise<BuildRecipe> {
  const file = join(packageRoot, 'images', 'tools-build.yaml');
  return parseDocument(await readFile(file, 'utf8'), file, schema).value;
}
