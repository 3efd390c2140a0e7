import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../base/errors.js';
import { applySeries } from './apply-series.js';
import type { FetchOptions } from './debian-image.js';
import { git } from './depot.js';
import { isBuilt, type Profile } from '../profile.js';
import { readSeries } from './series.js';
import type { SourceTree } from './source-tree.js';
import { openSource } from './sources.js';

/** Files of kernel sources. */
export interface SourceFiles {
  /** the sources, for people */
  readonly label: string;
  /** text by path below the tree */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * The files of folders of a kernel's sources, with its series on them. Of a Debian image: those of the linux-source
 * package of the same release, which is fetched unless the cache has it.
 *
 * @param release `uname -r` of the kernel, from which the name of a Debian source package follows
 * @throws UsageError when a patch does not apply, or nobody knows the sources of a ready-made kernel
 * @throws RigError('download') when the package is not to be had
 */
export async function readSourceFiles(
  profile: Profile,
  release: string,
  folders: readonly string[],
  options: FetchOptions,
): Promise<SourceFiles> {
  const source = await openSource(sourceOf(profile, release), options);
  const patches = await readSeries(source.depot, profile.patches);
  const tree = (await applySeries(source, patches)).at(-1) ?? source.tree;
  const files = await readFiles(source, tree, folders);
  const label =
    patches.length === 0
      ? source.label
      : `${source.label} + ${patches.length} ${patches.length === 1 ? 'patch' : 'patches'}`;
  return { label, files };
}

function sourceOf(profile: Profile, release: string): Profile['source'] {
  if (isBuilt(profile)) return profile.source;
  const image = profile.source['debian-image'];
  const series = /^\d+\.\d+/.exec(release)?.[0];
  if (!image || series === undefined)
    throw new UsageError(`nothing is known of the sources of the kernel ${profile.name}`);
  return { 'debian-source': { package: `linux-source-${series}`, suite: image.suite } };
}

/** What no patch touched of an unpacked copy is only there, and not in the depot. */
async function readFiles(
  source: SourceTree,
  tree: string,
  folders: readonly string[],
): Promise<Map<string, string>> {
  const { depot, alternates, pristine } = source;
  const wanted = await listFiles(source, tree, folders);
  const untouched = pristine ? await listFiles(source, source.tree, folders) : new Map<string, string>();
  const files = new Map<string, string>();
  for (const [path, blob] of wanted) {
    const text =
      pristine && untouched.get(path) === blob
        ? await readFile(join(pristine.dir, path))
        : await git(depot, ['cat-file', 'blob', blob], {
            alternates,
            purpose: `read ${path} of the sources`,
          });
    files.set(path, text.toString('utf8'));
  }
  return files;
}

/** @returns the blob of each file */
async function listFiles(
  { depot, alternates }: SourceTree,
  tree: string,
  folders: readonly string[],
): Promise<Map<string, string>> {
  const listed = await git(depot, ['ls-tree', '-r', '-z', tree, '--', ...folders], {
    alternates,
    purpose: 'list files of the sources',
  });
  return new Map(
    listed
      .toString()
      .split('\0')
      .flatMap((entry) => {
        const [, blob, path] = /^100\d{3} blob ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
        return blob !== undefined && path !== undefined ? [[path, blob] as const] : [];
      }),
  );
}
