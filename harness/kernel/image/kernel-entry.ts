import { readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentKey } from '../../base/cache/cache.js';
import { cacheRoot } from '../../base/places.js';
import { vmlinuxOf } from './bzimage.js';
import { hasPvhEntry, isElf } from './elf.js';
import type { ResolvedKernel } from '../resolved.js';
import { slownessOf } from '../slowness.js';
import { tool } from '../tool.js';

/**
 * A kernel as the cache keeps it, in a folder of its own:
 * `vmlinux` or `bzImage`, `config`, `lib/modules/<release>/` with modules.dep, and `kernel.json`.
 */
export interface KernelEntry {
  readonly release: string;
  readonly format: ResolvedKernel['format'];
  /** what it was made of, for people */
  readonly origin: string;
  /** the profile that it was made for */
  readonly profile: string;
}

/** The kind of cache entry that finished kernels are. */
export const KERNEL_ENTRIES = 'kernel';

/** Guards all of them: shared by those who boot one, alone with who removes some. */
export function kernelsInUse(): string {
  return join(cacheRoot(), KERNEL_ENTRIES, 'in-use.lock');
}

/**
 * Completes a draft that has `config` and `lib/modules/<release>/` by the image and the modules' dependencies.
 * @param image a bzImage or an ELF kernel; what boots quickest is kept
 */
export async function finishEntry(
  draft: string,
  image: Buffer,
  facts: Omit<KernelEntry, 'format'> & { readonly imageName: string },
): Promise<void> {
  const { release, origin, profile, imageName } = facts;
  const vmlinux = isElf(image) && hasPvhEntry(image) ? image : await vmlinuxOf(image, imageName);
  const format = vmlinux ? 'elf' : 'bzimage';
  await writeFile(join(draft, IMAGE_NAME[format]), vmlinux ?? image);
  await makeModulesDep(draft, release);
  const entry: KernelEntry = { release, format, origin, profile };
  await writeFile(join(draft, 'kernel.json'), `${JSON.stringify(entry, undefined, 2)}\n`);
}

/** The kernel in a finished folder of the cache. */
export async function readEntry(
  dir: string,
  key: string,
  profile: Pick<ResolvedKernel, 'cmdline' | 'abi'> & { readonly name: string },
): Promise<ResolvedKernel> {
  const entry = JSON.parse(await readFile(join(dir, 'kernel.json'), 'utf8')) as KernelEntry;
  const config = await readFile(join(dir, 'config'), 'utf8');
  const slowness = slownessOf(config);
  return {
    profile: profile.name,
    id: key,
    release: entry.release,
    image: join(dir, IMAGE_NAME[entry.format]),
    format: entry.format,
    modulesDir: join(dir, 'lib/modules', entry.release),
    config: join(dir, 'config'),
    cmdline: profile.cmdline,
    abi: profile.abi,
    origin: entry.origin,
    ...(slowness > 1 && { slowness }),
    configHash: contentKey(config).slice(0, 12),
  };
}

const IMAGE_NAME = { elf: 'vmlinux', bzimage: 'bzImage' } as const;

/** kmod looks below lib/modules or below usr/lib/modules, by how it was configured: both lead to the same folder. */
async function makeModulesDep(draft: string, release: string): Promise<void> {
  if (!(await readdir(draft)).includes('usr')) await symlink('.', join(draft, 'usr'));
  await tool({
    program: 'depmod',
    args: ['-b', draft, release],
    purpose: `list the dependencies of the modules of ${release}`,
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
}
