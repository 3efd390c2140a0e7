import type { Progress } from '../base/progress.js';
import { buildImage } from '../image/index.js';
import { resolveKernel } from '../kernel/index.js';
import type { Bootable } from './briefing.js';

interface PrepareOptions {
  readonly progress: Progress;
  readonly mirror?: string;
}

/** The kernels of a run and the image for each, fetched or built where the cache has them not. */
export async function prepareBootables(
  profiles: readonly string[],
  options: PrepareOptions,
): Promise<Bootable[]> {
  const bootables: Bootable[] = [];
  for (const profile of profiles) bootables.push(await prepareBootable(profile, options));
  return bootables;
}

/** One of them. */
export async function prepareBootable(profile: string, options: PrepareOptions): Promise<Bootable> {
  const kernel = await resolveKernel(profile, options);
  const { initramfs } = await buildImage(kernel, options);
  return { kernel, initramfs };
}
