import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey, findCached } from '../../base/cache/cache.js';
import type { Progress } from '../../base/progress.js';
import { applySeries } from '../sources/apply-series.js';
import { BuildFailed, firstFault } from './build-failure.js';
import { requireBuildTools } from './build-tools.js';
import { configure, readWantedConfig, type WantedConfig } from '../config/configure.js';
import { bootsAsElf, compile, hasModules } from './compile.js';
import { readConfig, type ConfigLine } from '../config/config-file.js';
import type { CachedKernel, FetchOptions } from '../sources/debian-image.js';
import { compilerVariables, logFile, make, moduleFolder } from './kbuild.js';
import { finishEntry, KERNEL_ENTRIES } from '../image/kernel-entry.js';
import { choosePlace, CONFIGURED, openPlace } from './build-place.js';
import { exclusively, untilGone } from './lock.js';
import type { Profile } from '../profile.js';
import type { ResolvedKernel } from '../resolved.js';
import { readSeries, type Patch } from '../sources/series.js';
import type { SourceTree } from '../sources/source-tree.js';
import { openSource } from '../sources/sources.js';
import { tool } from '../tool.js';
import { checkOut, type BuildPlace } from '../sources/work-tree.js';

/** Sources with a series on them, ready to be built after each of its patches. */
export interface PreparedSeries {
  readonly profile: Profile;
  readonly source: SourceTree;
  readonly patches: readonly Patch[];
  /** names of the git trees: before any patch, then after each */
  readonly trees: readonly string[];
  readonly config: WantedConfig;
}

/**
 * Reads sources, series and configuration, and applies the series; nothing is built yet.
 * @throws UsageError when a patch does not apply or a part can't be read
 */
export async function prepareSeries(profile: Profile, options: FetchOptions): Promise<PreparedSeries> {
  requireBuildTools();
  const source = await openSource(profile.source, options);
  const patches = await readSeries(source.depot, profile.patches);
  const trees = [source.tree, ...(await applySeries(source, patches))];
  return { profile, source, patches, trees, config: await readWantedConfig(profile.config, source) };
}

/**
 * Builds the kernel with the first `count` patches of the series, unless the cache has it: a kernel is known by its
 * sources, its configuration and its compiler, and the same is never built twice.
 *
 * @throws BuildFailed with the first error and the patch that most likely brought it
 */
export async function buildKernel(
  prepared: PreparedSeries,
  count: number,
  { progress, signal }: Pick<FetchOptions, 'progress' | 'signal'>,
): Promise<CachedKernel> {
  const { profile, source, config } = prepared;
  const patches = prepared.patches.slice(0, count);
  const tree = prepared.trees[count] ?? source.tree;
  const modules = profile.config.modules ?? [];
  const key = contentKey('build', '1', tree, config.key, await compilerIdentity(), ...modules);
  const done = await findCached(KERNEL_ENTRIES, key);
  if (done !== undefined) return { dir: done, key };

  return inPlace(prepared, tree, progress, async (place) => {
    // the run that we waited for may have built just this one
    const built = await findCached(KERNEL_ENTRIES, key);
    if (built !== undefined) return { dir: built, key };
    const what = describe(source, patches);
    await writeFile(logFile(place), '');
    const changed = await checkOut(place, source, tree, progress);
    signal?.throwIfAborted();
    const options = await configureIfNeeded({ place, config, changed, what, progress, signal });
    await compile({ place, source, tree, patches, options, modules, what, progress, signal });
    return publish({ place, key, profile, options, origin: what, progress });
  });
}

/**
 * Makes the configuration that the kernel with the whole series would be built with.
 * @returns the text of its .config
 */
export async function configureOnly(
  prepared: PreparedSeries,
  { progress, signal }: Pick<FetchOptions, 'progress' | 'signal'>,
): Promise<string> {
  const { source, patches, trees, config } = prepared;
  const tree = trees.at(-1) ?? source.tree;
  return inPlace(prepared, tree, progress, async (place) => {
    const what = describe(source, patches);
    await writeFile(logFile(place), '');
    const changed = await checkOut(place, source, tree, progress);
    await configureIfNeeded({ place, config, changed, what, progress, signal });
    return readFile(join(place.obj, '.config'), 'utf8');
  });
}

/** Has the place for these sources to itself, with nothing of an interrupted run at work in it. */
export async function inPlace<T>(
  { profile, source, config }: PreparedSeries,
  tree: string,
  progress: Progress,
  work: (place: BuildPlace) => Promise<T>,
): Promise<T> {
  const place = await choosePlace(source, profile.config, config, tree);
  const waiting = () =>
    progress({ task: `build ${profile.name}`, detail: 'waiting for another run that builds it' });
  return exclusively(place.lock, waiting, async () => {
    await openPlace(place, source);
    await untilGone(place.processes);
    return work(place);
  });
}

/** What the kernel with the first `count` patches is made of. */
export function whatIsBuilt(
  { source, patches }: PreparedSeries,
  count: number,
): Pick<ResolvedKernel, 'origin' | 'source' | 'series'> {
  const applied = patches.slice(0, count);
  const series = { hash: seriesHash(applied), patches: applied.map(({ name }) => name) };
  return {
    origin: describe(source, applied),
    source: source.label,
    ...(applied.length === 0 ? {} : { series }),
  };
}

function describe(source: SourceTree, patches: readonly Patch[]): string {
  const [first] = patches;
  if (!first) return source.label;
  return `${source.label} + ${patches.length === 1 ? first.name : `${patches.length} patches`} (${seriesHash(patches)})`;
}

/** Equal for series of the same changes, whatever their mails say. */
function seriesHash(patches: readonly Patch[]): string {
  return contentKey(...patches.map(({ diff }) => diff)).slice(0, 12);
}

export async function compilerIdentity(): Promise<string> {
  const versions = await Promise.all(
    ['gcc', 'ld'].map((program) =>
      tool({ program, args: ['--version'], purpose: 'ask the compiler for its version' }),
    ),
  );
  return versions.map((text) => text.toString().split('\n')[0] ?? '').join('\n');
}

/** kbuild's configuration takes seconds, and nothing but the request, the compiler and these files decides it. */
export async function configureIfNeeded(job: {
  readonly place: BuildPlace;
  readonly config: WantedConfig;
  /** paths that differ from the sources that were here before */
  readonly changed: readonly string[];
  readonly what: string;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}): Promise<ReadonlyMap<string, ConfigLine>> {
  const { place, config, changed, what, progress, signal } = job;
  const mark = join(place.dir, CONFIGURED);
  if (changed.some((path) => DECIDES_CONFIG.test(path))) await rm(mark, { force: true });
  const identity = `${config.key}\n${await compilerIdentity()}`;
  const before = await readFile(mark, 'utf8').catch(() => '');
  if (before === identity) return readConfig(await readFile(join(place.obj, '.config'), 'utf8'));
  progress({ task: 'configure the kernel', detail: what });
  await rm(mark, { force: true });
  const options = await configure(place, config, what, signal);
  await writeFile(mark, identity);
  return options;
}

const DECIDES_CONFIG = /(^|\/)(Kconfig[^/]*|Makefile[^/]*|[^/]*config)$|^scripts\//;

/** Copies the kernel out of the place, whose objects the next build changes, into an entry of its own. */
async function publish(job: {
  readonly place: BuildPlace;
  readonly key: string;
  readonly profile: Profile;
  readonly options: ReadonlyMap<string, ConfigLine>;
  readonly origin: string;
  readonly progress: Progress;
}): Promise<CachedKernel> {
  const { place, key, profile, options, origin } = job;
  job.progress({ task: 'install the kernel', detail: origin });
  const release = (await readFile(join(place.obj, 'include/config/kernel.release'), 'utf8')).trim();
  const { dir } = await cached(KERNEL_ENTRIES, key, async (draft) => {
    await copyFile(join(place.obj, '.config'), join(draft, 'config'));
    const modules = join(draft, 'lib/modules', release);
    await mkdir(modules, { recursive: true });
    if (hasModules(options)) await installModules(place, draft);
    for (const folder of profile.config.modules ?? [])
      await installModules(place, draft, moduleFolder(place, folder));
    for (const link of ['build', 'source']) await rm(join(modules, link), { force: true });
    const image = join(draft, 'image');
    if (bootsAsElf(options)) {
      await tool({
        program: 'objcopy',
        args: ['-S', '-R', '.comment', join(place.obj, 'vmlinux'), image],
        purpose: 'strip the kernel',
      });
    } else await copyFile(join(place.obj, 'arch/x86/boot/bzImage'), image);
    const bytes = await readFile(image);
    await rm(image);
    await finishEntry(draft, bytes, {
      release,
      origin,
      imageName: `bzImage of ${origin}`,
      profile: profile.name,
    });
    await copyFile(logFile(place), join(draft, 'build.log'));
  });
  return { dir, key };
}

async function installModules(
  place: BuildPlace,
  draft: string,
  which: Readonly<Record<string, string>> = {},
): Promise<void> {
  // depmod is run by finishEntry, in the way that every kernel gets it
  const variables = {
    ...compilerVariables(),
    ...which,
    INSTALL_MOD_PATH: draft,
    INSTALL_MOD_STRIP: '1',
    DEPMOD: 'true',
  };
  const { failed, lines } = await make(place, ['modules_install'], { variables });
  if (failed)
    throw new BuildFailed(firstFault(lines, place.src), undefined, 'make modules_install', logFile(place));
}
