import { mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MANIFEST, markUsed } from './cache.js';
import { evictOldest } from './cache-eviction.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cxlrig-eviction-'));
});
afterEach(() => rm(root, { recursive: true }));

const KIB = 1024;

async function entry(key: string, kib: number, minutesAgo: number): Promise<string> {
  const dir = join(root, 'kind', key);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'memory'), Buffer.alloc(kib * KIB, 1));
  const time = new Date(Date.now() - minutesAgo * 60_000);
  await writeFile(join(dir, MANIFEST), '[]');
  await utimes(join(dir, MANIFEST), time, time);
  return dir;
}

const left = async (): Promise<string[]> => (await readdir(join(root, 'kind'))).sort();

test('those that were not used for longest go first', async () => {
  await entry('old', 100, 30);
  await entry('older', 100, 40);
  await entry('new', 100, 1);
  expect(await evictOldest('kind', { root, maxBytes: 250 * KIB })).toEqual(['older']);
  expect(await left()).toEqual(['new', 'old']);
});

test('use makes an entry young again', async () => {
  await markUsed(await entry('old', 100, 30));
  await entry('new', 100, 1);
  await evictOldest('kind', { root, maxBytes: 150 * KIB });
  expect(await left()).toEqual(['old']);
});

test('the entry that was just made stays, however big it is', async () => {
  await entry('made', 400, 50);
  await entry('other', 100, 1);
  expect(await evictOldest('kind', { root, maxBytes: 200 * KIB, keep: 'made' })).toEqual(['other']);
});

test('holes in a memory file take no space', async () => {
  const dir = await entry('sparse', 4, 5);
  await truncate(join(dir, 'memory'), 2 ** 30);
  expect(await evictOldest('kind', { root, maxBytes: 2 ** 20 })).toEqual([]);
});

test('entries that are being made, and locks, are left alone; a kind without entries is no fault', async () => {
  await entry('key.draft-1234', 100, 100);
  await mkdir(join(root, 'kind', 'key.lock'));
  expect(await evictOldest('kind', { root, maxBytes: 0 })).toEqual([]);
  expect(await evictOldest('nothing', { root, maxBytes: 0 })).toEqual([]);
});

test('an entry that is gone can be marked without harm', async () => {
  await expect(markUsed(join(root, 'gone'))).resolves.toBeUndefined();
});
