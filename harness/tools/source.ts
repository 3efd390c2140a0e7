import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from '../base/cache/cache.js';
import { debianSources, type DebianSourceFile } from '../base/debian/debian-sources.js';
import { RigError } from '../base/errors.js';
import type { Progress } from '../base/progress.js';
import { runTool } from '../base/tool.js';
import { applySeries } from '../kernel/sources/apply-series.js';
import { openDepot, type Depot } from '../kernel/sources/depot.js';
import { gitRevision } from '../kernel/sources/git-source.js';
import { localTree, type TreeKind } from '../kernel/sources/local-tree.js';
import { readSeries } from '../kernel/sources/series.js';
import type { SourceTree } from '../kernel/sources/source-tree.js';
import type { ToolsSource } from './profile.js';

export interface SourceOptions {
  readonly progress: Progress;
  readonly mirror?: string | undefined;
}

export const NDCTL_TREE: TreeKind = {
  noun: 'an ndctl tree',
  sources: 'ndctl',
  landmarks: ['meson.build', 'cxl/lib/libcxl.sym'],
  flag: '--ndctl-tree',
};

/**
 * Reads the sources that a profile of tools names. Nothing is written where they come from.
 * @throws UsageError when a folder holds no ndctl, or a repository has no such revision
 */
export async function openToolSource(source: ToolsSource, options: SourceOptions): Promise<SourceTree> {
  const depot = await openDepot();
  const { progress } = options;
  if (source['debian-source']) return debianSource(depot, source['debian-source'], options);
  if (source.git) return { ...(await gitRevision(depot, source.git, progress)), flag: NDCTL_TREE.flag };
  if (source.tree === undefined) throw new Error('these tools are not built from source');
  return { ...(await localTree(depot, source.tree, progress, NDCTL_TREE)), flag: NDCTL_TREE.flag };
}

/**
 * What Debian builds its packages from: the upstream archive with Debian's patches. Mirrors are known that lack the
 * small file of the patches; the sources are upstream's then, and their name says so.
 */
async function debianSource(
  depot: Depot,
  { package: name, suite }: NonNullable<ToolsSource['debian-source']>,
  { progress, mirror }: SourceOptions,
): Promise<SourceTree> {
  const sources = debianSources({ suite, progress, mirror });
  const { version, files } = await sources.resolve(name);
  const archive = files.find((file) => /\.orig\.tar\.\w+$/.test(file.name));
  if (!archive)
    throw new RigError('download', `the source package ${name} ${version} has no upstream archive`);
  const packaging = files.find((file) => /\.debian\.tar\.\w+$/.test(file.name));
  const { dir } = await cached(
    'tool-source',
    contentKey('1', archive.sha256, packaging?.sha256 ?? ''),
    (draft) => unpack(draft, archive, packaging, (file) => sources.download(file, join(draft, 'work'))),
  );
  const label = `${name} ${version}`;
  const upstream = await localTree(depot, join(dir, 'tree'), progress, NDCTL_TREE);
  const unpacked = await readdir(dir);
  const hasPackaging = unpacked.includes('debian');
  const patches = join(dir, 'debian/patches');
  const series =
    hasPackaging && (await exists(join(patches, 'series'))) ? await readSeries(depot, [patches]) : [];
  const tree = (await applySeries(upstream, series)).at(-1) ?? upstream.tree;
  return {
    ...upstream,
    tree,
    label: hasPackaging ? label : `${label}, without Debian's patches, which the mirror lacks`,
    lineage: name,
    flag: NDCTL_TREE.flag,
  };
}

async function unpack(
  draft: string,
  archive: DebianSourceFile,
  packaging: DebianSourceFile | undefined,
  fetch: (file: DebianSourceFile) => Promise<string | undefined>,
): Promise<void> {
  const tree = join(draft, 'tree');
  const orig = await fetch(archive);
  if (orig === undefined)
    throw new RigError(
      'download',
      `the mirror does not have ${archive.name}, which its index names`,
      'choose another mirror by CXLRIG_MIRROR, or give a tree: --ndctl-tree DIR',
    );
  await untar(orig, tree, ['--strip-components=1']);
  const debian = packaging && (await fetch(packaging));
  if (debian !== undefined) await untar(debian, draft, ['debian/patches']);
  await rm(join(draft, 'work'), { recursive: true, force: true });
}

async function untar(archive: string, into: string, args: readonly string[]): Promise<void> {
  await mkdir(into, { recursive: true });
  await runTool({
    program: 'tar',
    args: ['-xf', archive, '-C', into, ...args],
    purpose: `unpack ${archive}`,
    stage: 'image',
  });
}

async function exists(path: string): Promise<boolean> {
  return readdir(join(path, '..')).then(
    (names) => names.some((name) => path.endsWith(`/${name}`)),
    () => false,
  );
}
