import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { contentKey } from '../base/cache/cache.js';
import { parseDocument } from '../base/document/document.js';
import { packageRoot } from '../base/places.js';

/** images/guest.yaml: what the guest's initramfs is made of. */
export interface Recipe {
  readonly suite: string;
  readonly packages: readonly string[];
  /** of the packages' files, what does not go into the guest: patterns of paths */
  readonly exclude: readonly string[];
  /** those of them that stay out whatever further packages there are: texts for people */
  readonly texts: readonly string[];
  readonly applets: readonly string[];
  readonly modules: readonly string[];
  /** whether modules keep the signatures that they may have */
  readonly moduleSignatures: boolean;
  readonly files: readonly RecipeFile[];
  readonly folders: readonly RecipeFolder[];
}

export interface RecipeFile {
  /** absolute, in the guest */
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
}

export interface RecipeFolder {
  readonly path: string;
  readonly mode: number;
}

const RECIPE = join(packageRoot, 'images', 'guest.yaml');

/**
 * Reads the recipe and the files that it takes from beside it.
 * @throws DocumentError when it does not satisfy its schema
 */
export async function readRecipe(path: string = RECIPE): Promise<Recipe> {
  const { value } = parseDocument(await readFile(path, 'utf8'), path, recipeSchema);
  const files = Object.entries(value.files).map(async ([target, file]) => ({
    path: target,
    mode: typeof file === 'string' ? 0o644 : file.mode,
    content: typeof file === 'string' ? Buffer.from(file) : await readFile(join(dirname(path), file.from)),
  }));
  return {
    ...value,
    exclude: [...value.texts, ...value.exclude],
    files: await Promise.all(files),
    folders: Object.entries(value.folders).map(([target, mode]) => ({ path: target, mode })),
  };
}

/** Changes whenever what the recipe adds to packages and modules does. */
export function ownFilesKey({ files, folders }: Recipe): string {
  return contentKey(
    ...files.flatMap(({ path, mode, content }) => [path, mode.toString(8), content]),
    ...folders.flatMap(({ path, mode }) => [path, mode.toString(8)]),
  );
}

const words = z.union([z.array(z.string()), z.string().transform((text) => text.trim().split(/\s+/))]);

/** No `..` and nothing relative: these paths are created below the image's root. */
const guestPath = z.string().regex(/^(\/[\w.+@-]*\w[\w.+@-]*)+$/, 'must be an absolute path in the guest');

const permissions = z.int().min(0).max(0o7777);

const recipeSchema = z.strictObject({
  suite: z.string(),
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, "must be a package's name")).min(1),
  texts: z.array(z.string().startsWith('/')),
  exclude: z.array(z.string().startsWith('/')),
  applets: words,
  modules: z.array(z.string()),
  moduleSignatures: z.boolean(),
  files: z.record(
    guestPath,
    z.union([
      z.string(),
      z.strictObject({
        from: z.string().regex(/^[\w-]+$/, 'must be the name of a file beside the recipe'),
        mode: permissions,
      }),
    ]),
  ),
  folders: z.record(guestPath, permissions),
});
