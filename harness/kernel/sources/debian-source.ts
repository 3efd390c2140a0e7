import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cached, contentKey } from '../../base/cache/cache.js';
import type { DebianPackage, DebianSuite } from '../../base/debian/debian.js';
import { RigError } from '../../base/errors.js';
import type { Progress } from '../../base/progress.js';
import { openSuite, type FetchOptions } from './debian-image.js';
import { git, type Depot } from './depot.js';
import type { KernelSource } from '../profile.js';
import type { SourceTree } from './source-tree.js';
import { tool } from '../tool.js';

/**
 * The sources of a Debian kernel, unpacked once. Only the folders' listings go into the depot: to store 1.8 GB there
 * takes minutes, and only files that a patch touches are ever needed from it.
 */
export async function debianSource(
  depot: Depot,
  source: NonNullable<KernelSource['debian-source']>,
  options: FetchOptions,
): Promise<SourceTree> {
  const suite = openSuite(source.suite, options);
  return suite.using(async () => {
    const found = await sourcePackage(suite, source);
    const key = contentKey('debian-source', '1', found.name, found.version, found.sha256);
    const { dir } = await cached('kernel-source', key, (draft) =>
      unpackSource(depot, suite, found, draft, options.progress),
    );
    const pristine = { dir: join(dir, 'tree'), index: join(dir, 'index') };
    return {
      depot,
      tree: await nameTree(depot, pristine.index),
      label: `${found.name} ${found.version}`,
      lineage: found.name,
      alternates: [],
      pristine,
    };
  });
}

/**
 * Names the tree of an index and puts its folders, not its files, into the depot. git locks an index for that: each run
 * takes a copy of its own, for the sources are shared by all.
 */
export async function nameTree(depot: Depot, index: string): Promise<string> {
  const work = await mkdtemp(join(depot.scratch, 'name-'));
  try {
    await copyFile(index, join(work, 'index'));
    const tree = await git(depot, ['write-tree', '--missing-ok'], {
      index: join(work, 'index'),
      purpose: 'name the kernel sources',
    });
    return tree.toString().trim();
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** `linux-source` itself is empty and depends on the newest; `linux-source-6.12` is what it says. */
async function sourcePackage(
  suite: DebianSuite,
  { package: name, suite: suiteName }: NonNullable<KernelSource['debian-source']>,
): Promise<DebianPackage> {
  const found = await suite.resolve(name, { suite: suiteName });
  const real = found.depends.find((dependency) => /^linux-source-\d/.test(dependency.name));
  return real ? suite.resolve(real.name, { suite: suiteName }) : found;
}

async function unpackSource(
  depot: Depot,
  suite: DebianSuite,
  found: DebianPackage,
  draft: string,
  progress: Progress,
): Promise<void> {
  const work = join(draft, 'work');
  const tree = join(draft, 'tree');
  await Promise.all([mkdir(work), mkdir(tree)]);
  const [deb = ''] = await suite.download([found], work, progress);
  const task = 'unpack the kernel sources';
  const purpose = `unpack ${found.name}`;
  progress({ task, detail: found.name });
  await tool({ program: 'dpkg-deb', args: ['-x', deb, work], purpose });
  const archive = join(work, 'usr/src', `${found.name}.tar.xz`);
  if (!existsSync(archive))
    throw new RigError('kernel', `the package ${found.name} ${found.version} holds no ${basename(archive)}`);
  await tool({
    program: 'tar',
    args: ['-xf', archive, '--strip-components=1', '-C', tree],
    purpose,
    env: { XZ_DEFAULTS: '-T0' },
  });
  await rm(work, { recursive: true });
  progress({ task: 'index the kernel sources' });
  const context = { index: join(draft, 'index'), workTree: tree, purpose: 'index the kernel sources' };
  const paths = await git(depot, ['ls-files', '-z', '--others'], context);
  await git(depot, ['update-index', '--add', '--info-only', '-z', '--stdin'], { ...context, input: paths });
  // leaves the folders' names in the index too: an entry of the cache must not change any more
  await git(depot, ['write-tree', '--missing-ok'], context);
}
