import { createHash } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { cacheRoot } from './places.js';

/** A finished entry of the cache: a folder that will not change any more. */
export interface CacheEntry {
  readonly dir: string;
  /** false when this call made it */
  readonly reused: boolean;
}

/** Minutes without a sign of life after which another run takes over a lock: its holder refreshes it every few seconds. */
const STALE_MS = 60_000;
const WAIT_FOR_BUILDER_MS = 60 * 60_000;

/** A key for content: the same parts give the same key, and parts can't run into each other. */
export function contentKey(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(`${Buffer.byteLength(part)}:`);
    hash.update(part);
  }
  return hash.digest('hex').slice(0, 24);
}

/**
 * The folder `kind/key` of the cache, made by `build` unless it is there already.
 *
 * `build` fills an empty folder; only when it returns is the folder published, by one rename. So a reader never
 * sees half an entry, a kill -9 leaves only a folder that the next builder removes, and of two runs that want the
 * same entry one builds while the other waits for it.
 */
export async function cached(
  kind: string,
  key: string,
  build: (dir: string) => Promise<void>,
  root: string = cacheRoot(),
): Promise<CacheEntry> {
  const dir = join(root, kind, key);
  if (await exists(dir)) return { dir, reused: true };
  await mkdir(join(root, kind), { recursive: true });
  const unlock = await lockfile.lock(dir, {
    realpath: false,
    stale: STALE_MS,
    retries: { retries: WAIT_FOR_BUILDER_MS / 500, minTimeout: 500, maxTimeout: 500, factor: 1 },
  });
  try {
    if (await exists(dir)) return { dir, reused: true };
    const draft = `${dir}.draft`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    await build(draft);
    await rename(draft, dir);
    return { dir, reused: false };
  } finally {
    await unlock();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
