import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { contentKey } from '../../base/cache/cache.js';
import { RigError, UsageError } from '../../base/errors.js';
import type { Progress } from '../../base/progress.js';
import { git, type Depot } from './depot.js';
import type { SourceTree } from './source-tree.js';
import { tool } from '../tool.js';

/**
 * The tree as it is now: committed or not, and whatever was built in it. What its .gitignore names (objects,
 * generated files, .config) is left out, so that it can be built elsewhere.
 */
export async function localTree(
  depot: Depot,
  dir: string,
  progress: Progress,
  kind: TreeKind = KERNEL_TREE,
): Promise<SourceTree> {
  const { noun, landmarks } = kind;
  if (!landmarks.every((name) => existsSync(join(dir, name))))
    throw new UsageError(
      `${dir} is not ${noun}: it has no ${landmarks.join(' and ')}`,
      `name the top folder of the ${kind.sources} sources`,
    );
  progress({ task: `read ${noun}`, detail: dir });
  const repository = await repositoryOf(dir);
  const alternates = repository ? [repository.objects] : [];
  const tree = await snapshot(depot, dir, repository, alternates, kind);
  const config = join(dir, '.config');
  return {
    depot,
    tree,
    label: `${dir}${await commitLabel(repository, tree)}`,
    lineage: dir,
    alternates,
    ...(existsSync(config) ? { config } : {}),
  };
}

/** What a folder of sources is known by. */
export interface TreeKind {
  /** with its article */
  readonly noun: string;
  /** whose sources they are */
  readonly sources: string;
  /** files that all of them have */
  readonly landmarks: readonly string[];
  /** what names one on the command line of a bisection */
  readonly flag: string;
}

export const KERNEL_TREE: TreeKind = {
  noun: 'a kernel tree',
  sources: 'kernel',
  landmarks: ['Kconfig', 'Makefile'],
  flag: '--tree',
};

interface Repository {
  readonly dir: string;
  readonly objects: string;
  readonly index: string;
}

/** The repository whose work tree this folder is, if it is one. */
async function repositoryOf(dir: string): Promise<Repository | undefined> {
  if (!existsSync(join(dir, '.git'))) return undefined;
  const found = await tool({
    program: 'git',
    args: [
      '-c',
      'safe.directory=*',
      '-C',
      dir,
      'rev-parse',
      '--path-format=absolute',
      '--git-path',
      'objects',
      '--git-path',
      'index',
    ],
    purpose: `find the repository of ${dir}`,
  }).catch((error: unknown) => {
    if (error instanceof RigError && error.stage === 'host') throw error;
    return undefined;
  });
  const [objects, index] = found?.toString().trim().split('\n') ?? [];
  return objects !== undefined && index !== undefined ? { dir, objects, index } : undefined;
}

/** Names the files of a folder as a git tree; those that changed since the last time are read, the others are not. */
async function snapshot(
  depot: Depot,
  dir: string,
  repository: Repository | undefined,
  alternates: readonly string[],
  { noun, landmarks }: TreeKind,
): Promise<string> {
  const remembered = join(depot.dir, `tree-${contentKey(dir)}.index`);
  const work = await mkdtemp(join(depot.scratch, 'tree-'));
  const index = join(work, 'index');
  const context = { index, workTree: dir, alternates, purpose: `read ${noun} ${dir}` };
  try {
    const name = async () => {
      await git(depot, ['add', '--all', '--', '.'], context);
      return git(depot, ['write-tree'], context);
    };
    await seedIndex(depot, index, [remembered, repository?.index], landmarks);
    const tree = await name().catch(async () => {
      // the index may name objects that a repository has thrown away since
      await rm(index, { force: true });
      return name();
    });
    await rename(index, remembered);
    return tree.toString().trim();
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** An index that knows the files' times saves reading 1.8 GB; one in a format of its own (split, sparse) is no help. */
async function seedIndex(
  depot: Depot,
  index: string,
  candidates: readonly (string | undefined)[],
  landmarks: readonly string[],
): Promise<void> {
  for (const candidate of candidates) {
    if (candidate === undefined || !existsSync(candidate)) continue;
    await copyFile(candidate, index);
    const usable = await git(depot, ['ls-files', '--stage', ...landmarks], {
      index,
      purpose: 'read an index',
    }).then(
      (listed) => listed.length > 0,
      () => false,
    );
    if (usable) return;
    await rm(index, { force: true });
  }
}

async function commitLabel(repository: Repository | undefined, tree: string): Promise<string> {
  if (!repository) return '';
  const found = await tool({
    program: 'git',
    args: ['-c', 'safe.directory=*', '-C', repository.dir, 'log', '-1', '--format=%H %T'],
    purpose: `find the commit of ${repository.dir}`,
  }).catch(() => undefined);
  const [commit, committed] = found?.toString().trim().split(' ') ?? [];
  if (commit === undefined) return '';
  return ` at ${commit.slice(0, 12)}${committed === tree ? '' : ' (modified)'}`;
}
