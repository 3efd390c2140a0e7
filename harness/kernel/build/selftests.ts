import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey, findCached } from '../../base/cache/cache.js';
import { UsageError } from '../../base/errors.js';
import { packLayer } from '../../base/archive.js';
import { BuildFailed, firstFault } from './build-failure.js';
import { compilerIdentity, configureIfNeeded, inPlace, prepareSeries } from './build.js';
import { BuildToolsMissing, programPath } from './build-tools.js';
import type { FetchOptions } from '../sources/debian-image.js';
import { compilerVariables, logFile, make } from './kbuild.js';
import type { Profile } from '../profile.js';
import { checkOut, type BuildPlace } from '../sources/work-tree.js';

/** Selftests of a kernel's own sources (tools/testing/selftests), ready to go into an image. */
export interface BuiltSelftests {
  readonly id: string;
  /** a layer of an initramfs, with the tests in SELFTESTS_IN_GUEST */
  readonly layer: string;
  /** as the sources list them */
  readonly tests: readonly Selftest[];
  /** seconds that a test of a collection may take; absent: kselftest's 45, or none where it is 0 */
  readonly timeouts: Readonly<Record<string, number>>;
}

export interface Selftest {
  /** dax, mm */
  readonly collection: string;
  /** its program in the collection's folder */
  readonly name: string;
}

export const SELFTESTS_IN_GUEST = 'usr/lib/kselftests';

const LAYOUT = '1';
const KEPT = 10;
const LAYER = 'selftests.cpio';
const LIST = 'kselftest-list.txt';

/**
 * Builds collections of selftests from the sources that a profile's kernel is built from, against the headers of that
 * kernel and the libraries of a guest, unless the cache has them.
 *
 * @param sysroot folder with headers and libraries of the guest's suite, and what it is known by
 * @throws UsageError when the sources have no such collection
 * @throws BuildFailed with the first error
 */
export async function buildSelftests(
  profile: Profile,
  collections: readonly string[],
  sysroot: { readonly dir: string; readonly key: string },
  options: FetchOptions,
): Promise<BuiltSelftests> {
  if (programPath('rsync') === undefined)
    throw new BuildToolsMissing('kernel selftests', [{ name: 'rsync', package: 'rsync', present: false }]);
  const prepared = await prepareSeries(profile, options);
  const { source, trees, config } = prepared;
  const tree = trees.at(-1) ?? source.tree;
  const id = contentKey(
    LAYOUT,
    tree,
    config.key,
    sysroot.key,
    await compilerIdentity(),
    ...[...collections].sort(),
  );
  const { progress, signal } = options;
  const build = (draft: string) =>
    inPlace(prepared, tree, progress, async (place) => {
      await writeFile(logFile(place), '');
      const changed = await checkOut(place, source, tree, progress);
      await configureIfNeeded({ place, config, changed, what: source.label, progress, signal });
      progress({ task: 'build selftests', detail: collections.join(', ') });
      await install(place, collections, sysroot.dir, draft, signal);
    });
  const dir =
    (await findCached('selftests', id)) ??
    (await cached('selftests', id, build, { progress, keep: KEPT })).dir;
  return { id, layer: join(dir, LAYER), ...(await readSelftests(dir, collections)) };
}

async function install(
  place: BuildPlace,
  collections: readonly string[],
  sysroot: string,
  draft: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const tree = join(draft, 'tree');
  const folder = join(tree, SELFTESTS_IN_GUEST);
  const libraries = `${sysroot}/usr/lib/x86_64-linux-gnu`;
  const compiler = `${compilerVariables()['CC'] ?? 'gcc'} --sysroot=${sysroot} -L${libraries} -B${libraries}/`;
  const run = async (targets: readonly string[], variables: Readonly<Record<string, string>>) => {
    const { failed, lines } = await make(place, targets, { variables, signal });
    if (failed)
      throw new BuildFailed(firstFault(lines, place.src), undefined, 'the selftests', logFile(place));
  };
  await run(['headers'], compilerVariables());
  // a makefile of its own, in the sources; what it makes lies with the kernel's objects
  await run(['-C', 'tools/testing/selftests', 'install'], {
    KBUILD_OUTPUT: place.obj,
    TARGETS: collections.join(' '),
    INSTALL_PATH: folder,
    CC: compiler,
    // one that does not build fails the whole: a test that is not there can't be told from one that passed
    FORCE_TARGETS: '1',
  });
  await copyFile(join(folder, LIST), join(draft, LIST));
  const settings = await Promise.all(
    collections.map(async (name) => [
      name,
      await readFile(join(folder, name, 'settings'), 'utf8').catch(() => ''),
    ]),
  );
  await writeFile(join(draft, 'settings.json'), JSON.stringify(Object.fromEntries(settings)));
  await packLayer(tree, join(draft, LAYER));
  await rm(tree, { recursive: true });
  await copyFile(logFile(place), join(draft, 'build.log'));
}

async function readSelftests(
  dir: string,
  collections: readonly string[],
): Promise<Pick<BuiltSelftests, 'tests' | 'timeouts'>> {
  const tests = (await readFile(join(dir, LIST), 'utf8'))
    .trim()
    .split('\n')
    .flatMap((line): Selftest[] => {
      const [, collection, name] = /^([^:]+):(.+)$/.exec(line) ?? [];
      return collection === undefined || name === undefined ? [] : [{ collection, name }];
    });
  const missing = collections.find((name) => !tests.some(({ collection }) => collection === name));
  if (missing !== undefined)
    throw new UsageError(
      `the selftests ${missing} have no tests in these sources`,
      'see what there is: ls tools/testing/selftests',
    );
  const settings = JSON.parse(await readFile(join(dir, 'settings.json'), 'utf8')) as Record<string, string>;
  const timeouts = Object.entries(settings).flatMap(([name, text]) => {
    const seconds = /^timeout=(\d+)$/m.exec(text)?.[1];
    return seconds === undefined ? [] : [[name, Number(seconds)] as const];
  });
  return { tests, timeouts: Object.fromEntries(timeouts) };
}
