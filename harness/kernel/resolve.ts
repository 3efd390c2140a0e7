import { readFile } from 'node:fs/promises';
import { RigError, UsageError } from '../base/errors.js';
import { silent, type Progress } from '../base/progress.js';
import { stopwatch } from '../base/stopwatch.js';
import {
  buildKernel,
  configureOnly,
  prepareSeries,
  whatIsBuilt,
  type PreparedSeries,
} from './build/build.js';
import { fetchDebianImage, type CachedKernel, type FetchOptions } from './sources/debian-image.js';
import { kernelsInUse, readEntry } from './image/kernel-entry.js';
import { useUntilExit } from './build/lock.js';
import { chooseProfile, type KernelChoice } from './choose.js';
import { isBuilt, type Profile } from './profile.js';
import { takeReadyKernel } from './sources/ready-kernel.js';
import type { ResolvedKernel } from './resolved.js';

export interface ObtainOptions {
  readonly progress?: Progress;
  /** address of a Debian archive instead of the machine's own */
  readonly mirror?: string | undefined;
  /** ends what is under way; the call then rejects with the signal's reason */
  readonly signal?: AbortSignal | undefined;
}

export interface ResolveOptions extends ObtainOptions, Omit<KernelChoice, 'profile'> {}

/**
 * Makes a kernel ready to boot: fetched or built, unless the cache has it.
 *
 * @param profile a shipped profile's name, the path of a profile or of a kernel tree; undefined: what fits the options
 * @throws UsageError when the profile is unknown or wrong, a patch does not apply, an option can't be had
 * @throws RigError when the kernel is not to be had; BuildFailed, which is one, when it does not build
 */
export async function resolveKernel(
  profile: string | undefined,
  options: ResolveOptions = {},
): Promise<ResolvedKernel> {
  return resolveProfile(await chooseProfile({ ...options, profile }), options);
}

/** As resolveKernel, of a profile that was chosen before. */
export function resolveProfile(profile: Profile, options: ObtainOptions = {}): Promise<ResolvedKernel> {
  return withDiskErrors(() => obtain(profile, fetchOptions(options)));
}

/** One step of a series: the kernel with the patches up to and with this one, or why there is none. */
export interface PatchStep {
  /** from 1 */
  readonly number: number;
  readonly of: number;
  readonly patch: { readonly name: string; readonly subject?: string };
  readonly kernel?: ResolvedKernel;
  readonly error?: RigError;
  readonly milliseconds: number;
}

/**
 * Builds after every patch of a series, and lets `afterEach` do something with the kernel (boot it) before the next.
 * A patch that does not build does not end it: a later one may mend what it broke, and the reader wants to know.
 *
 * @throws UsageError when a patch does not apply: then nothing is built
 */
export async function resolveEachPatch(
  profile: string | undefined,
  options: ResolveOptions,
  afterEach: (step: PatchStep) => Promise<void>,
): Promise<readonly PatchStep[]> {
  return withDiskErrors(async () => {
    const chosen = await chooseProfile({ ...options, profile });
    if (chosen.patches.length === 0)
      throw new UsageError(
        'there is no series to build patch by patch',
        'give one: --patches DIR|MBOX|FILE...',
      );
    const fetching = fetchOptions(options);
    await useUntilExit(kernelsInUse());
    const prepared = await prepareSeries(chosen, fetching);
    const steps: PatchStep[] = [];
    for (const [index, { name, subject }] of prepared.patches.entries()) {
      const elapsed = stopwatch();
      const outcome = await buildKernel(prepared, index + 1, fetching).then(
        async (built) => ({ kernel: await describeBuilt(built, prepared, index + 1) }),
        (error: unknown) => {
          if (error instanceof RigError && error.stage === 'kernel') return { error };
          throw error;
        },
      );
      const step = {
        number: index + 1,
        of: prepared.patches.length,
        patch: { name, ...(subject === undefined ? {} : { subject }) },
        ...outcome,
        milliseconds: elapsed(),
      };
      steps.push(step);
      await afterEach(step);
    }
    return steps;
  });
}

/**
 * Makes only the configuration that a kernel would be built with.
 * @returns the text of its .config
 * @throws UsageError naming each requested option that did not survive
 */
export async function resolveConfig(
  profile: string | undefined,
  options: ResolveOptions = {},
): Promise<string> {
  return withDiskErrors(async () => {
    const chosen = await chooseProfile({ ...options, profile });
    if (!isBuilt(chosen)) return readFile((await resolveKernel(profile, options)).config, 'utf8');
    const fetching = fetchOptions(options);
    return configureOnly(await prepareSeries(chosen, fetching), fetching);
  });
}

async function obtain(profile: Profile, options: FetchOptions): Promise<ResolvedKernel> {
  await useUntilExit(kernelsInUse());
  const { 'debian-image': image, ready } = profile.source;
  const readyMade = image
    ? await fetchDebianImage(profile.name, image, options)
    : ready && (await takeReadyKernel(profile.name, ready));
  if (readyMade) return readEntry(readyMade.dir, readyMade.key, profile);
  const prepared = await prepareSeries(profile, options);
  const count = prepared.patches.length;
  return describeBuilt(await buildKernel(prepared, count, options), prepared, count);
}

/** What it is made of is told by who asked: another series that comes to the same sources has the same entry. */
async function describeBuilt(
  { dir, key }: CachedKernel,
  prepared: PreparedSeries,
  count: number,
): Promise<ResolvedKernel> {
  const kernel = await readEntry(dir, key, prepared.profile);
  return { ...kernel, ...whatIsBuilt(prepared, count) };
}

function fetchOptions({ progress = silent, mirror, signal }: ObtainOptions): FetchOptions {
  return { progress, mirror, signal };
}

async function withDiskErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const full =
      (error instanceof Error && 'code' in error && error.code === 'ENOSPC') ||
      (error instanceof RigError && error.evidence.some((line) => line.includes('No space left on device')));
    if (!full) throw error;
    throw new RigError(
      'host',
      'the disk of the cache is full',
      'free space (cxlrig kernel clean) or set CXLRIG_CACHE',
      error instanceof RigError ? error.evidence : [],
      { cause: error },
    );
  }
}
