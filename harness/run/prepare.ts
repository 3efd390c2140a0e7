import type { Progress } from '../base/progress.js';
import { buildImage } from '../image/index.js';
import { resolveKernel } from '../kernel/index.js';
import type { Bootable } from './briefing.js';

/** The kernels of a run and the image for each, fetched or built where the cache has them not. */
export async function prepareBootables(
  profiles: readonly string[],
  options: { readonly progress: Progress; readonly mirror?: string },
): Promise<Bootable[]> {
  const bootables: Bootable[] = [];
  for (const profile of profiles) {
    const kernel = await resolveKernel(profile, options);
    const { initramfs } = await buildImage(kernel, options);
    bootables.push({ kernel, initramfs });
  }
  return bootables;
}
