import { existsSync } from 'node:fs';
import { readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { DRAFT } from '../base/cache/cache.js';
import { cacheRoot } from '../base/places.js';
import { BUILD_PLACES } from './build/build-place.js';
import { sourceFolder, sourcesInUse } from './sources/depot.js';
import { KERNEL_ENTRIES, kernelsInUse, type KernelEntry } from './image/kernel-entry.js';
import { exclusively } from './build/lock.js';
import { missingTool } from './tool.js';
import { placeLock } from './sources/work-tree.js';

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
  const things = await Promise.all(
    found.map(async ({ kind, name, path }): Promise<CachedThing | undefined> => {
      const usedMs = await modifiedAt(path);
      if (usedMs === undefined) return undefined;
      const entry = kind === 'kernel' ? await readKernelEntry(path) : undefined;
      return {
        kind,
        name,
        path,
        bytes: sizes.get(path) ?? 0,
        usedMs,
        ...(entry === undefined ? {} : { entry }),
      };
    }),
  );
  return things.filter((thing) => thing !== undefined);
}

/** undefined: it was removed since it was seen */
async function modifiedAt(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

/**
 * Removes things from the cache. What somebody builds in, boots from or reads at this moment is waited for.
 * @param waiting hears the name of a thing that is in use
 */
export async function removeThings(
  things: readonly CachedThing[],
  waiting: (name: string) => void,
): Promise<void> {
  for (const { kind, name, path } of things) {
    const lock = { build: placeLock(path), source: sourcesInUse(), kernel: kernelsInUse() }[kind];
    await exclusively(
      lock,
      () => waiting(name),
      () => discard(path),
    );
  }
}

/** A folder goes out of sight in one step: nobody finds half of it. Another process may have removed it before. */
async function discard(path: string): Promise<void> {
  const doomed = path.endsWith(DOOMED) ? path : `${path}${DOOMED}`;
  if (doomed !== path) {
    await rm(doomed, { recursive: true, force: true });
    await rename(path, doomed).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
  await rm(doomed, { recursive: true, force: true });
}

/** What a removal that was killed leaves: it is listed, and goes with the next one. */
const DOOMED = '.doomed';

async function foldersIn(
  kind: CachedThing['kind'],
  folder: string,
): Promise<Pick<CachedThing, 'kind' | 'name' | 'path'>[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .filter(({ name }) => !name.includes(DRAFT) && !/\.lock$|^scratch$/.test(name))
    .map(({ name }) => ({ kind, name, path: join(folder, name) }));
}

/** In one call, because du counts a file with several links once. What goes away meanwhile counts nothing. */
async function diskUsage(paths: readonly string[]): Promise<Map<string, number>> {
  if (paths.length === 0) return new Map();
  const { stdout, code } = await execa('du', ['-s', '-k', '--', ...paths], {
    reject: false,
    env: { LC_ALL: 'C' },
  });
  if (code === 'ENOENT') throw missingTool('du', 'measure the cache');
  return new Map(
    stdout
      .split('\n')
      .filter((line) => line !== '')
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
