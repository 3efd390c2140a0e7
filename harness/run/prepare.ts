import { UsageError } from '../base/errors.js';
import { orAbort } from '../base/or-abort.js';
import type { Progress } from '../base/progress.js';
import { buildImage } from '../image/index.js';
import { requireToolsFor, resolveProfile, type Profile } from '../kernel/index.js';
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
  requireToolsFor(profiles);
  const bootables: Bootable[] = [];
  for (const profile of profiles)
    bootables.push(await soonAfterAbort(prepareBootable(profile, options), options.signal));
  return bootables;
}

/** This kernel can't be had as it was asked for: a patch does not apply, an option did not survive. Another one may. */
export class KernelUnfit extends UsageError {
  constructor(cause: UsageError) {
    super(cause.message, cause.remedy, { cause });
  }
}

/** How long what is under way (make, apt, mmdebstrap) may take to end itself after an interrupt. */
const GRACE_MS = 5_000;

/** An interrupt is told as one, whatever else it makes the work say, and soon. */
async function soonAfterAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const late = new AbortController();
  const onAbort = (): void => void setTimeout(() => late.abort(signal?.reason), GRACE_MS).unref();
  signal?.addEventListener('abort', onAbort);
  try {
    return await orAbort(work, late.signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** One of them. */
export async function prepareBootable(profile: Profile, options: PrepareOptions): Promise<Bootable> {
  const kernel = await resolveProfile(profile, options).catch((error: unknown) => {
    throw error instanceof UsageError ? new KernelUnfit(error) : error;
  });
  options.signal?.throwIfAborted();
  const { initramfs } = await buildImage(kernel, options);
  options.signal?.throwIfAborted();
  return { kernel, initramfs };
}
