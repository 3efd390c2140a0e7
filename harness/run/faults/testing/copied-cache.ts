import { createHash } from 'node:crypto';
import { cp, open, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cacheRoot } from '../../../base/places.js';
import { bootableStock } from '../../../testing/stock.js';
import type { Bench } from './bench.js';

/** The parts of the cache that a run on the stock kernel takes. */
export async function copiedCache({ dir }: Bench): Promise<string> {
  const cache = join(dir, 'cache');
  const { kernel, initramfs } = await bootableStock();
  const parts = [
    dirname(kernel.image),
    dirname(initramfs),
    join(cacheRoot(), 'apt'),
    join(cacheRoot(), 'userlands'),
  ];
  for (const part of parts) await cp(part, part.replace(cacheRoot(), cache), { recursive: true });
  for (const file of [kernel.image, initramfs])
    await addDigest(dirname(file).replace(cacheRoot(), cache), basename(file));
  return cache;
}

export async function inCopy(cache: string, file: 'kernel' | 'initramfs'): Promise<string> {
  const { kernel, initramfs } = await bootableStock();
  return (file === 'kernel' ? kernel.image : initramfs).replace(cacheRoot(), cache);
}

/** Entries that were made by an earlier version have no digests. */
async function addDigest(entry: string, name: string): Promise<void> {
  const manifest = join(entry, '.cxlrig-entry.json');
  const files = JSON.parse(await readFile(manifest, 'utf8')) as [string, number, string?][];
  const sha256 = createHash('sha256')
    .update(await readFile(join(entry, name)))
    .digest('hex');
  const others = files.filter(([path]) => path !== name);
  const { size } = await stat(join(entry, name));
  await writeFile(manifest, JSON.stringify([[name, size, sha256], ...others]));
}

/** Overwrites a part of a file from there on, as a fraction of it, by what was not there. */
export async function spoil(file: string, from: number): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, 'r+');
  await handle.write(
    Buffer.alloc(Math.floor(size / 4), 0xa5),
    0,
    Math.floor(size / 4),
    Math.floor(size * from),
  );
  await handle.close();
}
