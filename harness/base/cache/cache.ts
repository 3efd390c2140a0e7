import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { RigError } from '../errors.js';
import { cacheRoot } from '../places.js';
import { silent, type Progress } from '../progress.js';

/** A finished entry of the cache: a folder that will not change any more. */
export interface CacheEntry {
  readonly dir: string;
  /** false when this call made it */
  readonly reused: boolean;
}

export interface CacheOptions {
  /** default: cacheRoot() */
  readonly root?: string;
  /** hears that another run is building the entry */
  readonly progress?: Progress;
  /** without a sign of life for so long, the builder is taken for dead; it gives one four times as often */
  readonly staleMs?: number;
  /** false: the entry's content is not hashed, for a maker that vouches for it in another way */
  readonly digests?: boolean;
  /** a new entry drives out all of its kind but so many, those longest unused first; default: none */
  readonly keep?: number;
}

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
 * same entry one builds while the other waits for it. An entry whose files were cut short later, as a power failure
 * does it, is built anew.
 *
 * @throws RigError('host') when the cache can't be written or is full; else whatever `build` throws
 */
export async function cached(
  kind: string,
  key: string,
  build: (dir: string) => Promise<void>,
  options: CacheOptions = {},
): Promise<CacheEntry> {
  const root = options.root ?? cacheRoot();
  const dir = join(root, kind, key);
  if (await isWhole(dir)) {
    await markUsed(dir);
    return { dir, reused: true };
  }
  try {
    await mkdir(join(root, kind), { recursive: true });
    const lock = await lockEntry(dir, options);
    try {
      if (await isWhole(dir)) return { dir, reused: true };
      await rm(dir, { recursive: true, force: true });
      await removeOrphans(join(root, kind), key);
      const published = await publish(dir, build, options.digests ?? true);
      if (options.keep !== undefined) await removeUnused(join(root, kind), options.keep);
      return { dir, reused: !published };
    } catch (error) {
      // somebody took this process for dead while it slept, and has removed what it was making
      if (lock.lost()) return await cached(kind, key, build, options);
      throw error;
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw cacheFailure(error, root);
  }
}

/** The folder `kind/key` of the cache if it is there and whole; nothing is made and nobody is waited for. */
export async function findCached(
  kind: string,
  key: string,
  root: string = cacheRoot(),
): Promise<string | undefined> {
  const dir = join(root, kind, key);
  return (await isWhole(dir)) ? dir : undefined;
}

/** Its presence also says that the folder is an entry and not a leftover. */
export const MANIFEST = '.cxlrig-entry.json';

/** How many of an entry's files are looked at on each use: the largest are those that a power failure cuts short. */
const FILES_IN_MANIFEST = 40;

const STALE_MS = 30_000;
const LOOK_AGAIN_MS = 250;
/** The longest build is a kernel's on a slow machine; each run of it shows signs of life. */
const WAIT_FOR_BUILDER_MS = 3 * 60 * 60_000;

/** Fills a draft and renames it. @returns false when another process has published the entry meanwhile */
async function publish(
  dir: string,
  build: (dir: string) => Promise<void>,
  digests: boolean,
): Promise<boolean> {
  const draft = `${dir}${DRAFT}${randomBytes(4).toString('hex')}`;
  const removeDraft = () => {
    rmSync(draft, { recursive: true, force: true });
  };
  process.once('exit', removeDraft);
  try {
    await mkdir(draft);
    await build(draft);
    await writeFile(join(draft, MANIFEST), JSON.stringify(await largestFiles(draft, digests)));
    try {
      await rename(draft, dir);
    } catch (error) {
      if (await isWhole(dir)) return false;
      throw error;
    }
    return true;
  } finally {
    process.off('exit', removeDraft);
    await rm(draft, { recursive: true, force: true });
  }
}

/** In the name of a folder that is no entry: one that is being made, or removed. */
export const DRAFT = '.draft-';

/** Digests are missing where the maker wanted none, and in entries that an earlier version made. */
type Manifest = readonly (readonly [path: string, bytes: number, sha256?: string])[];

async function largestFiles(dir: string, digests: boolean): Promise<Manifest> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const sized = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(dir, path), (await lstat(path)).size] as const;
    }),
  );
  const largest = sized.sort(([, a], [, b]) => b - a).slice(0, FILES_IN_MANIFEST);
  if (!digests) return largest;
  return Promise.all(
    largest.map(async ([path, bytes]) => [path, bytes, await digestOf(join(dir, path))] as const),
  );
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * Removes the entry that is in this folder if a file of it has other content than when the entry was made, as a bad
 * disk does it. That takes reading all of it, so it is for when something went wrong already.
 * @returns the file; undefined when all is well, or the folder is no entry
 */
export async function discardCorrupt(dir: string): Promise<string | undefined> {
  const text = await readFile(join(dir, MANIFEST), 'utf8').catch(() => '[]');
  for (const [path, , sha256] of JSON.parse(text) as Manifest) {
    const file = join(dir, path);
    if (sha256 === undefined || (await digestOf(file).catch(() => undefined)) === sha256) continue;
    await rm(dir, { recursive: true, force: true });
    return file;
  }
  return undefined;
}

async function isWhole(dir: string): Promise<boolean> {
  try {
    const manifest = JSON.parse(await readFile(join(dir, MANIFEST), 'utf8')) as Manifest;
    const sizes = await Promise.all(manifest.map(async ([path]) => (await stat(join(dir, path))).size));
    return manifest.every(([, bytes], i) => sizes[i] === bytes);
  } catch {
    return false;
  }
}

/**
 * Drafts of builders that died. A builder holds its entry's lock before it makes a draft, so a draft without a lock
 * is nobody's; and so is any draft of the entry that the caller has locked.
 */
async function removeOrphans(kindDir: string, ownKey: string): Promise<void> {
  for (const name of await readdir(kindDir)) {
    const key = name.split(DRAFT, 1)[0] ?? '';
    if (key === name) continue;
    if (key === ownKey || !(await lockfile.check(join(kindDir, key), { realpath: false, stale: STALE_MS })))
      await rm(join(kindDir, name), { recursive: true, force: true });
  }
}

/** So long after its last use nobody boots from an entry any more. */
const UNUSED_MS = 6 * 60 * 60_000;

/** Notes that the entry was used just now; those longest unused are the first to go. */
export async function markUsed(dir: string): Promise<void> {
  const now = new Date();
  // a cache that can't be written can still be read
  await utimes(join(dir, MANIFEST), now, now).catch(() => undefined);
}

async function removeUnused(kindDir: string, keep: number): Promise<void> {
  const names = await readdir(kindDir);
  const used = await Promise.all(
    names.map(async (name) => ({
      dir: join(kindDir, name),
      usedMs: await stat(join(kindDir, name, MANIFEST)).then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      ),
    })),
  );
  const entries = used
    .filter(({ dir, usedMs }) => usedMs !== undefined && !dir.includes(DRAFT))
    .sort((a, b) => (b.usedMs ?? 0) - (a.usedMs ?? 0));
  for (const { dir, usedMs = 0 } of entries.slice(keep)) {
    if (Date.now() - usedMs < UNUSED_MS) continue;
    // out of sight in one step, under a name that every later builder sweeps
    const doomed = `${dir}${DRAFT}${randomBytes(4).toString('hex')}`;
    await rename(dir, doomed).catch(() => undefined);
    await rm(doomed, { recursive: true, force: true });
  }
}

interface EntryLock {
  /** whether another process took the lock over */
  lost(): boolean;
  release(): Promise<void>;
}

async function lockEntry(
  dir: string,
  { progress = silent, staleMs = STALE_MS }: CacheOptions,
): Promise<EntryLock> {
  const deadline = performance.now() + WAIT_FOR_BUILDER_MS;
  let lost = false;
  for (;;) {
    try {
      const release = await lockfile.lock(dir, {
        realpath: false,
        stale: staleMs,
        update: staleMs / 4,
        onCompromised: () => {
          lost = true;
        },
      });
      return { lost: () => lost, release: async () => (lost ? undefined : release()) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    }
    if (performance.now() > deadline)
      throw new RigError(
        'host',
        `another run has been building ${dir} for hours`,
        `end it, or remove ${dir}.lock if there is none`,
      );
    progress({ task: 'wait for another run that builds the same', detail: dir });
    await sleep(LOOK_AGAIN_MS);
  }
}

/** What a failure below the cache's folder means to its user: not writable, or full; any other error as it is. */
export function cacheFailure(error: unknown, root: string): unknown {
  if (error instanceof RigError) return error;
  const { code, path, stderr } = error as { code?: string; path?: string; stderr?: unknown };
  if (
    code === 'ENOSPC' ||
    code === 'EDQUOT' ||
    /No space left on device|Disk quota exceeded/.test(String(stderr))
  )
    return new RigError(
      'host',
      `the disk is full: ${root} has no room for what was being built`,
      'free space there, or set CXLRIG_CACHE to a folder on another disk',
      [],
      { cause: error },
    );
  // Node says of a folder below a read-only one that the folder above it does not exist
  const ofCache = path !== undefined && (path.startsWith(root) || root.startsWith(path));
  if (ofCache && ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT'].includes(code ?? ''))
    return new RigError(
      'host',
      `the cache ${root} can't be written: ${(error as Error).message}`,
      'make it writable, or set CXLRIG_CACHE to a folder that is',
      [],
      { cause: error },
    );
  return error;
}
