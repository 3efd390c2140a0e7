import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { contentKey } from '../../base/cache/cache.js';
import { cacheRoot } from '../../base/places.js';
import type { WantedConfig } from '../config/configure.js';
import { git } from '../sources/depot.js';
import type { Profile } from '../profile.js';
import type { SourceTree } from '../sources/source-tree.js';
import { buildPlace, type BuildPlace } from '../sources/work-tree.js';

/** The folder of the cache with the places where kernels are built. */
export const BUILD_PLACES = 'kernel-build';

/**
 * Where to build a state of sources. There is one place for equal sources in an equal configuration, whatever series
 * is on them: so a profile that is another one plus patches, and the next version of a series, build only what
 * differs. Sources that have no place of their own yet are built in the place of others in the same configuration
 * when no more than a few source files tell them apart: a branch of the kernel that somebody has built is then built
 * in seconds, and both stay cheap.
 */
export async function choosePlace(
  source: SourceTree,
  request: Profile['config'],
  config: WantedConfig,
  tree: string,
): Promise<BuildPlace> {
  const folder = join(cacheRoot(), BUILD_PLACES);
  const own = buildPlace(join(folder, placeName(source, request)));
  if (!existsSync(join(own.dir, 'checked-out'))) {
    const near = await nearPlace(folder, source, config, tree);
    if (near) return near;
  }
  return own;
}

/**
 * Makes the place's folders, and notes in a place that is new what sources it is for. The caller has it for itself: it may
 * have been removed since it was chosen.
 */
export async function openPlace(place: BuildPlace, source: SourceTree): Promise<void> {
  await mkdir(place.obj, { recursive: true });
  const sources = join(place.dir, SOURCES);
  const isNew = !existsSync(join(place.dir, 'checked-out'));
  if (isNew || !existsSync(sources)) await writeFile(sources, `${source.tree}\n`);
}

/** In a place: the tree without patches of the sources that it belongs to. */
const SOURCES = 'sources';

/** In a place: the key of the configuration that it has now, and below it the compiler. */
export const CONFIGURED = 'configured';

async function firstWord(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^\w+/.exec(text)?.[0];
}

/** Each of them is compiled again whenever the place changes hands. */
const MOST_FILES_APART = 100;

/** With further modules or without them the kernel is the same. */
function placeName({ lineage }: SourceTree, { base, fragments, options }: Profile['config']): string {
  const config = { base, fragments, options };
  const words = [basename(lineage), ...config.fragments.map((fragment) => basename(fragment, '.config'))];
  const label = words.join('-').replace(/[^\w.+-]/g, '-');
  return `${label}-${contentKey(lineage, JSON.stringify(config)).slice(0, 8)}`;
}

async function nearPlace(
  folder: string,
  source: SourceTree,
  config: WantedConfig,
  tree: string,
): Promise<BuildPlace | undefined> {
  const names = existsSync(folder) ? await readdir(folder) : [];
  for (const name of names) {
    const dir = join(folder, name);
    const itsTree = await firstWord(join(dir, SOURCES));
    // the name of a place says which files its configuration is made of, not what stands in them today
    const itsConfig = await firstWord(join(dir, CONFIGURED));
    if (itsTree === undefined || itsConfig !== config.key || !existsSync(join(dir, 'built'))) continue;
    const apart = await filesApart(source, itsTree, tree);
    // a header may be included by everything, and then each turn would compile everything
    if (apart && apart.length <= MOST_FILES_APART && apart.every((path) => /\.[cS]$/.test(path)))
      return buildPlace(dir);
  }
  return undefined;
}

/** @returns nothing when the other tree is not known here any more */
async function filesApart(source: SourceTree, one: string, other: string): Promise<string[] | undefined> {
  const listed = await git(source.depot, ['diff-tree', '-r', '-z', '--name-only', one, other], {
    alternates: source.alternates,
    purpose: 'compare with what is built',
  }).catch(() => undefined);
  return listed
    ?.toString()
    .split('\0')
    .filter((path) => path !== '' && !path.startsWith('Documentation/'));
}
