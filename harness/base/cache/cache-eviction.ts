import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DRAFT, MANIFEST } from './cache.js';
import { cacheRoot } from '../places.js';

export interface Eviction {
  /** space on the disk that entries of the kind may take together */
  readonly maxBytes: number;
  /** key of an entry that stays in any case */
  readonly keep?: string;
  /** default: cacheRoot() */
  readonly root?: string;
}

/**
 * Removes entries of a kind until the rest fits. Who has a file of an entry open keeps it; a process that has just found an
 * entry and has opened nothing yet must be ready to find it gone.
 * @returns keys of the entries that were removed
 */
export async function evictOldest(
  kind: string,
  { maxBytes, keep, root = cacheRoot() }: Eviction,
): Promise<string[]> {
  const folder = join(root, kind);
  const names = await readdir(folder).catch(() => []);
  const keys = names.filter((name) => !name.includes(DRAFT) && !name.endsWith('.lock'));
  const entries = (await Promise.all(keys.map((key) => measure(folder, key)))).flatMap(
    (entry) => entry ?? [],
  );
  entries.sort((a, b) => b.usedAt - a.usedAt);
  const evicted: string[] = [];
  let sum = 0;
  for (const { key, bytes } of [
    ...entries.filter(({ key }) => key === keep),
    ...entries.filter(({ key }) => key !== keep),
  ]) {
    sum += bytes;
    if (sum <= maxBytes || key === keep) continue;
    await evict(join(folder, key));
    evicted.push(key);
  }
  return evicted;
}

/** By one rename, so that nobody sees half of it; under the name of a draft, which is swept up if this is killed. */
async function evict(dir: string): Promise<void> {
  const out = `${dir}${DRAFT}${randomBytes(4).toString('hex')}`;
  try {
    await rename(dir, out);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await rm(out, { recursive: true, force: true });
}

/** Blocks on the disk, not lengths: memory files are mostly holes. */
async function measure(
  folder: string,
  key: string,
): Promise<{ key: string; bytes: number; usedAt: number } | undefined> {
  try {
    const dir = join(folder, key);
    const { mtimeMs } = await stat(join(dir, MANIFEST));
    const files = await readdir(dir);
    const blocks = await Promise.all(files.map(async (file) => (await stat(join(dir, file))).blocks));
    return { key, bytes: 512 * blocks.reduce((a, b) => a + b, 0), usedAt: mtimeMs };
  } catch {
    return undefined; // somebody else has removed it meanwhile
  }
}
