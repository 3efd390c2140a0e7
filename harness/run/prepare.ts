import type { Progress } from '../base/progress.js';
import { buildImage } from '../image/index.js';
import { resolveProfile, type Profile } from '../kernel/index.js';
import type { Bootable } from './briefing.js';

export interface PrepareOptions {
  readonly progress: Progress;
  readonly mirror?: string | undefined;
  /** ends a build that is under way; the call then rejects with the signal's reason */
  readonly signal?: AbortSignal | undefined;
}

/** The kernels of a run and the image for each, fetched or built where the cache has them not. */
export async function prepareBootables(
  profiles: readonly Profile[],
  options: PrepareOptions,
): Promise<Bootable[]> {
  const bootables: Bootable[] = [];
  for (const profile of profiles) bootables.push(await prepareBootable(profile, options));
  return bootables;
}

/** One of them. */
export async function prepareBootable(profile: Profile, options: PrepareOptions): Promise<Bootable> {
  const kernel = await resolveProfile(profile, options);
  options.signal?.throwIfAborted();
  const { initramfs } = await buildImage(kernel, options);
  options.signal?.throwIfAborted();
  return { kernel, initramfs };
}
