import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cached, contentKey } from '../../base/cache/cache.js';
import { UsageError } from '../../base/errors.js';
import type { CachedKernel } from './debian-image.js';
import { KERNEL_ENTRIES, finishEntry } from '../image/kernel-entry.js';
import type { KernelSource } from '../profile.js';

/**
 * A kernel that somebody has built: its image and its modules are copied, so that nothing is written beside them and
 * a rebuild there does not change a kernel under test.
 *
 * @throws UsageError when a part is missing or is not what it should be
 */
export async function takeReadyKernel(
  profile: string,
  source: NonNullable<KernelSource['ready']>,
): Promise<CachedKernel> {
  const release = await releaseOf(source.modules);
  const config = findConfig(source, release);
  const image = await readFile(source.image).catch((cause: unknown) => {
    throw new UsageError(`the kernel image ${source.image} can't be read`, 'correct the profile', { cause });
  });
  const key = contentKey('ready', '1', image, await readFile(config), release, await listing(source.modules));
  const { dir } = await cached(KERNEL_ENTRIES, key, async (draft) => {
    await copyFile(config, join(draft, 'config'));
    await mkdir(join(draft, 'lib/modules'), { recursive: true });
    await cp(source.modules, join(draft, 'lib/modules', release), {
      recursive: true,
      preserveTimestamps: true,
      // `make modules_install` leaves links to the sources there
      filter: (path) => !['build', 'source'].includes(basename(path)),
    });
    await finishEntry(draft, image, {
      release,
      origin: `${source.image} with ${source.modules}`,
      profile,
      imageName: source.image,
    });
  });
  return { dir, key };
}

async function releaseOf(modules: string): Promise<string> {
  const files = await readdir(modules).catch(() => [] as string[]);
  if (files.includes('modules.order') || files.includes('kernel')) return basename(modules);
  throw new UsageError(
    `${modules} holds no kernel modules`,
    'name the folder lib/modules/<release> that `make modules_install` fills',
  );
}

function findConfig(source: NonNullable<KernelSource['ready']>, release: string): string {
  const places = [
    source.config,
    join(source.modules, 'config'),
    join(source.modules, 'build/.config'),
    join(source.image, '..', `config-${release}`),
  ].filter((place) => place !== undefined);
  const found = source.config ?? places.find(existsSync);
  if (found !== undefined && existsSync(found)) return found;
  throw new UsageError(
    `the .config of ${source.image} is at none of ${places.join(', ')}`,
    'name it in the profile: source.ready.config',
  );
}

/** Paths, sizes and times of a folder's files: enough to see that somebody built again. */
async function listing(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = await Promise.all(
    files.sort().map(async (file) => {
      const { size, mtimeMs } = await stat(file);
      return `${file} ${size} ${mtimeMs}`;
    }),
  );
  return lines.join('\n');
}
