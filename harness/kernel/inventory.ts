import { existsSync } from 'node:fs';
import { readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RigError } from '../base/errors.js';
import { cacheRoot } from '../base/places.js';
import { BUILD_PLACES } from './build-place.js';
import { sourceFolder } from './depot.js';
import { KERNEL_ENTRIES, type KernelEntry } from './kernel-entry.js';
import { exclusively } from './lock.js';
import { tool } from './tool.js';

/** One thing of the kernel room in the cache. */
export interface CachedThing {
  /** a kernel ready to boot; a place with objects for incremental builds; sources */
  readonly kind: 'kernel' | 'build' | 'source';
  /** kernel: its id; build and source: the folder's name */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** kernels: what it is made of and for */
  readonly entry?: KernelEntry;
  readonly usedMs: number;
}

const FOLDERS = { kernel: KERNEL_ENTRIES, build: BUILD_PLACES } as const;

/** What the cache holds for kernels. What several things share is counted in the first of them. */
export async function cachedThings(): Promise<readonly CachedThing[]> {
  const found = [
    ...(await foldersIn('kernel', join(cacheRoot(), FOLDERS.kernel))),
    ...(await foldersIn('source', sourceFolder())),
    ...(await foldersIn('build', join(cacheRoot(), FOLDERS.build))),
  ];
  const sizes = await diskUsage(found.map(({ path }) => path));
  return Promise.all(
    found.map(async ({ kind, name, path }) => {
      const entry = kind === 'kernel' ? await readKernelEntry(path) : undefined;
      return {
        kind,
        name,
        path,
        bytes: sizes.get(path) ?? 0,
        usedMs: (await stat(path)).mtimeMs,
        ...(entry === undefined ? {} : { entry }),
      };
    }),
  );
}

/**
 * Removes things from the cache. A place where somebody builds at this moment is waited for.
 * @param waiting hears the name of a thing that is in use
 */
export async function removeThings(
  things: readonly CachedThing[],
  waiting: (name: string) => void,
): Promise<void> {
  for (const { kind, name, path } of things) {
    if (kind !== 'build') await discard(path);
    else
      await exclusively(
        join(path, 'lock'),
        () => waiting(name),
        () => discard(path),
      );
  }
}

/** A folder goes out of sight in one step: nobody finds half of it. */
async function discard(path: string): Promise<void> {
  const doomed = `${path}.doomed`;
  await rm(doomed, { recursive: true, force: true });
  await rename(path, doomed);
  await rm(doomed, { recursive: true, force: true });
}

async function foldersIn(
  kind: CachedThing['kind'],
  folder: string,
): Promise<Pick<CachedThing, 'kind' | 'name' | 'path'>[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !/\.(lock|draft)$|^scratch$/.test(entry.name))
    .map(({ name }) => ({ kind, name, path: join(folder, name) }));
}

/** In one call, because du counts a file with several links once. */
async function diskUsage(paths: readonly string[]): Promise<Map<string, number>> {
  if (paths.length === 0) return new Map();
  const printed = await tool({
    program: 'du',
    args: ['-s', '-k', '--', ...paths],
    purpose: 'measure the cache',
  });
  return new Map(
    printed
      .toString()
      .trim()
      .split('\n')
      .map((line) => {
        const [kilobytes = '0', path = ''] = line.split('\t');
        return [path, Number(kilobytes) * 1024] as const;
      }),
  );
}

async function readKernelEntry(dir: string): Promise<KernelEntry | undefined> {
  return readFile(join(dir, 'kernel.json'), 'utf8').then(
    (text) => JSON.parse(text) as KernelEntry,
    () => undefined,
  );
}

/**
 * The folder of the Debian kernel sources that were used last, as they were unpacked.
 * @throws RigError when there are none yet
 */
export async function unpackedSources(): Promise<string> {
  const found = (await cachedThings())
    .filter(({ kind, path }) => kind === 'source' && existsSync(join(path, 'tree')))
    .sort((a, b) => b.usedMs - a.usedMs);
  if (!found[0])
    throw new RigError('kernel', 'the cache has no kernel sources', 'cxlrig kernel build minimal');
  return join(found[0].path, 'tree');
}
