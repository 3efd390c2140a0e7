import { silent } from '../base/progress.js';
import { buildImage } from '../image/index.js';
import { resolveKernel, type ResolvedKernel } from '../kernel/index.js';

/** A kernel with the initramfs made for it. */
export interface Bootable {
  readonly kernel: ResolvedKernel;
  readonly initramfs: string;
}

let stock: Promise<Bootable> | undefined;

/** The stock kernel and its image: from the cache, or fetched and built, which takes a minute. */
export function bootableStock(): Promise<Bootable> {
  return (stock ??= (async () => {
    const kernel = await resolveKernel('stock', { progress: silent });
    const { initramfs } = await buildImage(kernel, { progress: silent });
    return { kernel, initramfs };
  })());
}
