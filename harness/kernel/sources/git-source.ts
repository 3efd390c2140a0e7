import { join } from 'node:path';
import { contentKey } from '../../base/cache/cache.js';
import { RigError, UsageError } from '../../base/errors.js';
import type { Progress } from '../../base/progress.js';
import { git, sourceFolder, type Depot } from './depot.js';
import { exclusively } from '../build/lock.js';
import type { KernelSource } from '../profile.js';
import type { SourceTree } from './source-tree.js';
import { tool } from '../tool.js';

/**
 * One revision of a repository. One that is a folder is read where it is; from an address only this revision is
 * fetched: the history of the kernel is gigabytes.
 *
 * @throws UsageError when a repository on this machine has no such revision
 */
export async function gitRevision(
  depot: Depot,
  { repository, revision }: NonNullable<KernelSource['git']>,
  progress: Progress,
): Promise<SourceTree> {
  const wanted = await fullRevision(repository, revision);
  const alternates = repository.startsWith('/') ? [await objectsOf(repository)] : [];
  const commit = alternates.length > 0 ? wanted : await fetchedRevision(depot, repository, wanted, progress);
  const tree = await git(depot, ['rev-parse', '--verify', `${commit}^{tree}`], {
    alternates,
    purpose: `find the tree of ${revision}`,
  });
  const short = commit.slice(0, 12);
  return {
    depot,
    tree: tree.toString().trim(),
    label: commit.startsWith(revision) ? `${repository} ${short}` : `${repository} ${revision} (${short})`,
    lineage: repository,
    alternates,
  };
}

async function objectsOf(repository: string): Promise<string> {
  const args = ['rev-parse', '--path-format=absolute', '--git-path', 'objects'];
  const found = await tool({
    program: 'git',
    args: ['-c', 'safe.directory=*', '-C', repository, ...args],
    purpose: `find the objects of ${repository}`,
  });
  return found.toString().trim();
}

/** @returns the commit id, of what is in the depot now */
async function fetchedRevision(
  depot: Depot,
  repository: string,
  revision: string,
  progress: Progress,
): Promise<string> {
  const ref = `refs/sources/${contentKey(repository, revision)}`;
  const commit = await known(depot, /^[0-9a-f]{40,64}$/.test(revision) ? revision : undefined);
  return commit ?? fetchRevision(depot, repository, revision, ref, progress);
}

/** A repository on this machine knows abbreviations and `v7.3~2`; another can be asked for names and full ids only. */
async function fullRevision(repository: string, revision: string): Promise<string> {
  const local = repository.startsWith('/') ? repository : /^file:\/\/(\/.*)$/.exec(repository)?.[1];
  if (local === undefined) return revision;
  try {
    const commit = await tool({
      program: 'git',
      args: [
        '-c',
        'safe.directory=*',
        '-C',
        local,
        'rev-parse',
        '--verify',
        '--end-of-options',
        `${revision}^{commit}`,
      ],
      purpose: `find revision ${revision} in ${local}`,
    });
    return commit.toString().trim();
  } catch (error) {
    if (!(error instanceof RigError) || error.stage === 'host') throw error;
    throw new UsageError(
      `${local} has no revision ${revision}: ${error.evidence.at(-1) ?? ''}`,
      `list what there is: git -C ${local} log --oneline --all`,
      { cause: error },
    );
  }
}

async function known(depot: Depot, revision: string | undefined): Promise<string | undefined> {
  if (revision === undefined) return undefined;
  return git(depot, ['rev-parse', '--verify', `${revision}^{commit}`], { purpose: 'look for a commit' }).then(
    (found) => found.toString().trim(),
    () => undefined,
  );
}

async function fetchRevision(
  depot: Depot,
  repository: string,
  revision: string,
  ref: string,
  progress: Progress,
): Promise<string> {
  const task = 'fetch the sources';
  progress({ task, detail: `${revision} of ${repository}` });
  const address = repository.startsWith('/') ? `file://${repository}` : repository;
  try {
    await exclusively(
      join(sourceFolder(), 'depot.lock'),
      () => progress({ task, detail: 'waiting for another run' }),
      () =>
        // with the user's own settings: proxies, credentials, addresses that stand for others
        tool({
          program: 'git',
          args: [
            '-C',
            depot.dir,
            'fetch',
            '-q',
            '--depth=1',
            '--no-tags',
            '--',
            address,
            `+${revision}:${ref}`,
          ],
          purpose: `fetch ${revision} from ${repository}`,
          env: { GIT_TERMINAL_PROMPT: '0' },
        }),
    );
  } catch (error) {
    const earlier = await known(depot, ref);
    if (earlier === undefined) throw fetchFailure(error);
    progress({
      task,
      detail: `not reachable now; ${revision} as last fetched (${earlier.slice(0, 12)}) is used`,
    });
    return earlier;
  }
  const commit = await git(depot, ['rev-parse', '--verify', `${ref}^{commit}`], {
    purpose: 'find the commit',
  });
  return commit.toString().trim();
}

function fetchFailure(error: unknown): unknown {
  if (!(error instanceof RigError) || error.stage === 'host') return error;
  return new RigError(
    'download',
    error.message,
    'check the address and the revision: a branch, a tag or a full commit id',
    error.evidence,
    { cause: error },
  );
}
