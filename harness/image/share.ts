import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { cached } from '../base/cache/cache.js';
import { UsageError } from '../base/errors.js';
import { packLayer } from '../base/archive.js';

/** A guest has its files in its memory. */
const MOST_BYTES = 256 * 2 ** 20;
const KEPT = 10;
const LAYER = 'share.cpio';

/**
 * A folder of the host as a layer of an image: a copy of it is /share/<its name> in the guest. A copy, for what is shared
 * live takes a file system of the kernel under test, and keeps a guest from being saved and resumed.
 *
 * @throws UsageError when it is no folder, or too large
 */
export async function shareLayer(written: string): Promise<{ readonly file: string; readonly id: string }> {
  const folder = resolve(written);
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder)
    throw new UsageError(`${folder} is no folder to share`, 'name the folder of what the guest is to have');
  const id = await hashOf(folder);
  const { dir } = await cached(
    'shares',
    id,
    async (draft) => {
      const tree = join(draft, 'tree');
      const target = join(tree, 'share', basename(folder));
      await mkdir(join(tree, 'share'), { recursive: true });
      await cp(folder, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
      await packLayer(tree, join(draft, LAYER));
      await rm(tree, { recursive: true });
    },
    { keep: KEPT },
  );
  return { file: join(dir, LAYER), id };
}

/** Of names, permissions and contents. */
async function hashOf(folder: string): Promise<string> {
  const hash = createHash('sha256').update(`1 ${basename(folder)}`);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }));
  let bytes = 0;
  for (const { entry, path } of paths.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const name = relative(folder, path);
    if (entry.isSymbolicLink()) hash.update(`\0l ${name}\0${await readlink(path)}`);
    else if (entry.isFile()) {
      const { size, mode } = await stat(path);
      bytes += size;
      if (bytes > MOST_BYTES)
        throw new UsageError(
          `${folder} has more than ${MOST_BYTES / 2 ** 20} MiB: a guest has its files in its memory`,
          'share a folder with less in it',
        );
      hash.update(`\0f ${name}\0${mode & 0o777} ${size}\0`).update(await readFile(path));
    } else if (entry.isDirectory()) hash.update(`\0d ${name}`);
    else throw new UsageError(`${path} is neither a file nor a folder, and can't be shared`);
  }
  return hash.digest('hex').slice(0, 24);
}
