import { contentKey } from '../base/cache/cache.js';
import { UsageError } from '../base/errors.js';
import { orAbort } from '../base/or-abort.js';
import type { Progress } from '../base/progress.js';
import { buildImage, type ImageAdditions } from '../image/index.js';
import { requireToolsFor, resolveProfile, type Profile } from '../kernel/index.js';
import type { ToolsIdentity } from '../trace/trace.js';
import { buildTools, requireHostTools, type BuiltTools } from '../tools/index.js';
import type { Bootable } from './briefing.js';

export interface PrepareOptions {
  readonly progress: Progress;
  readonly mirror?: string | undefined;
  /** what the guests have beside the recipe's */
  readonly additions?: ImageAdditions | undefined;
  /** ends a build that is under way; the call then rejects with the signal's reason */
  readonly signal?: AbortSignal | undefined;
}

/** The kernels of a run and the image for each, fetched or built where the cache has them not. */
export async function prepareBootables(
  profiles: readonly Profile[],
  options: PrepareOptions,
): Promise<Bootable[]> {
  requireToolsFor(profiles);
  if (profiles.some(({ tools }) => tools)) requireHostTools();
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

function asUnfit(error: unknown): never {
  throw error instanceof UsageError ? new KernelUnfit(error) : error;
}

/** The tools of a guest as run.json has them. */
function describeTools(built: BuiltTools | undefined, packages: readonly string[]): ToolsIdentity {
  if (built) {
    const { profile, id, origin, source, series } = built;
    return { profile, id, origin, source, ...(series && { series }) };
  }
  const own = packages.filter((name) => /^(cxl|daxctl|ndctl)=/.test(name));
  return {
    profile: 'debian',
    id: contentKey(...own),
    origin: own.map((name) => name.replace('=', ' ')).join(', '),
  };
}

/** One of them. */
export async function prepareBootable(profile: Profile, options: PrepareOptions): Promise<Bootable> {
  const kernel = await resolveProfile(profile, options).catch(asUnfit);
  options.signal?.throwIfAborted();
  const tools = profile.tools && (await buildTools(profile.tools, options).catch(asUnfit));
  options.signal?.throwIfAborted();
  const { initramfs, packages } = await buildImage(kernel, { ...options.additions, ...options, tools });
  options.signal?.throwIfAborted();
  // what is resolved has the name of the kernel; a pair of kernel and tools has one of its own
  return { kernel: { ...kernel, profile: profile.name }, initramfs, tools: describeTools(tools, packages) };
}
