import { RigError, UsageError } from '../base/errors.js';
import { silent, type Progress } from '../base/progress.js';
import { fetchDebianImage, type CachedKernel } from './debian-image.js';
import { readEntry } from './kernel-entry.js';
import { loadProfile, type Profile } from './profile.js';
import { takeReadyKernel } from './ready-kernel.js';
import type { ResolvedKernel } from './resolved.js';

export interface ResolveOptions {
  readonly progress?: Progress;
  /** address of a Debian archive instead of the machine's own */
  readonly mirror?: string | undefined;
}

/**
 * Makes a kernel ready to boot: fetched or built, unless the cache has it.
 *
 * @param nameOrPath a shipped profile's name, or the path of a profile
 * @throws UsageError when the profile is unknown or wrong
 * @throws RigError when the kernel is not to be had
 */
export async function resolveKernel(
  nameOrPath: string,
  options: ResolveOptions = {},
): Promise<ResolvedKernel> {
  const profile = await loadProfile(nameOrPath);
  try {
    const { dir, key } = await obtain(profile, options);
    return await readEntry(dir, key, profile);
  } catch (error) {
    throw diskFull(error) ?? error;
  }
}

async function obtain(profile: Profile, options: ResolveOptions): Promise<CachedKernel> {
  const progress = options.progress ?? silent;
  const { 'debian-image': image, ready } = profile.source;
  if (image) return fetchDebianImage(image, { progress, mirror: options.mirror });
  if (ready) return takeReadyKernel(ready);
  throw new UsageError(`kernel profile ${profile.name} is built from source, which is not possible yet`);
}

function diskFull(error: unknown): RigError | undefined {
  const full = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
  if (!full) return undefined;
  return new RigError(
    'host',
    'the disk of the cache is full',
    'free space (cxlrig kernel clean) or set CXLRIG_CACHE',
    [],
    { cause: error },
  );
}
