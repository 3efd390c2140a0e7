import { copyFile, rm, writeFile } from 'node:fs/promises';
import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { RigError, UsageError } from '../../base/errors.js';
import { temporaryFolder } from '../../base/owner.js';
import type { TreeKind } from '../../kernel/index.js';

/** A commit, as a person recognizes it. */
export interface Commit {
  readonly id: string;
  readonly author: string;
  /** ISO 8601 */
  readonly date: string;
  readonly subject: string;
}

/** What a test said of a commit, in git's words. */
export type Mark = 'good' | 'bad' | 'skip';

/** Where a search is. */
export type SearchState =
  /** @param left git's words: `3 revisions left to test after this (roughly 2 steps)` */
  | { readonly kind: 'test'; readonly commit: Commit; readonly left: string }
  | { readonly kind: 'found'; readonly culprit: Commit }
  /** only skipped commits are left: it is one of these */
  | { readonly kind: 'narrowed'; readonly suspects: readonly Commit[] };

/** A `git bisect` that is under way. */
export interface Search {
  readonly good: Commit;
  readonly bad: Commit;
  /** starts; to be called once, before `mark` */
  start(): Promise<SearchState>;
  mark(commit: Commit, mark: Mark): Promise<SearchState>;
  /** removes everything that the search has written */
  close(): Promise<void>;
}

export interface SearchRequest {
  /** a tree with its repository, or a bare repository */
  readonly tree: string;
  /** what it must be a tree of */
  readonly kind: TreeKind;
  readonly good: string;
  readonly bad: string;
  readonly firstParent: boolean;
}

/**
 * Opens a search for the first bad commit. git keeps its notes in a bare repository of our own, which reads the
 * objects of the user's and checks nothing out: nothing is ever written there, and a bisection of his goes on.
 *
 * @throws UsageError when it is no repository, a revision is unknown or no such tree, or both are the same
 */
export async function openSearch({ tree, kind, good, bad, firstParent }: SearchRequest): Promise<Search> {
  const repository = await repositoryOf(tree, kind);
  const ends = {
    good: await commitOf(tree, kind, good, '--good'),
    bad: await commitOf(tree, kind, bad, '--bad'),
  };
  if (ends.good.id === ends.bad.id)
    throw new UsageError(`${good} and ${bad} are the same commit`, 'name a good and a bad one');
  const dir = await temporaryFolder('bisect');
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  process.once('exit', remove);
  const run = (args: readonly string[]) => git(dir, args);
  const state = async (args: readonly string[]): Promise<SearchState> =>
    readState(await run(['bisect', ...args]), (id) => describe(tree, id));
  await run(['init', '-q', '--bare', '.']);
  await writeFile(join(dir, 'objects/info/alternates'), `${repository.objects}\n`);
  if (existsSync(repository.shallow)) await copyFile(repository.shallow, join(dir, 'shallow'));
  await run(['update-ref', '--no-deref', 'HEAD', ends.bad.id]);
  return {
    ...ends,
    start: () =>
      state([
        'start',
        '--no-checkout',
        ...(firstParent ? ['--first-parent'] : []),
        ends.bad.id,
        ends.good.id,
      ]),
    mark: ({ id }, mark) => state([mark, id]),
    close: async () => {
      process.off('exit', remove);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Makes of git's answer to `bisect start` or a mark where the search is. */
export async function readState(
  { exitCode, stdout }: { readonly exitCode: number; readonly stdout: string },
  describeCommit: (id: string) => Promise<Commit>,
): Promise<SearchState> {
  const found = /^([0-9a-f]{40,64}) is the first '?bad'? commit$/m.exec(stdout)?.[1];
  if (found !== undefined) return { kind: 'found', culprit: await describeCommit(found) };
  const only = /The first '?bad'? commit could be any of:\n((?:[0-9a-f]{40,64}\n?)+)/.exec(stdout)?.[1];
  if (only !== undefined) {
    const suspects = only.trim().split('\n');
    return { kind: 'narrowed', suspects: await Promise.all(suspects.map(describeCommit)) };
  }
  const next = /^\[([0-9a-f]{40,64})\] /m.exec(stdout)?.[1];
  if (exitCode === 0 && next !== undefined) {
    const left = /^Bisecting: (.*)$/m.exec(stdout)?.[1] ?? '';
    return { kind: 'test', commit: await describeCommit(next), left };
  }
  // 3: the merge base is bad, so that what is looked for was not brought but mended between the two
  throw new UsageError(
    `git bisect can't go on: ${stdout.trim().split('\n').slice(0, 4).join(' ')}`,
    'name a good commit that the bad one descends from',
  );
}

interface UserRepository {
  readonly objects: string;
  readonly shallow: string;
}

async function repositoryOf(tree: string, { noun, flag }: TreeKind): Promise<UserRepository> {
  const asked = ['rev-parse', '--path-format=absolute', '--git-path', 'objects', '--git-path', 'shallow'];
  const { exitCode, stdout } = await git(tree, asked, true);
  const [objects = '', shallow = ''] = stdout.split('\n');
  if (exitCode !== 0 || objects === '')
    throw new UsageError(
      `${resolve(tree)} is no git repository`,
      `name the top folder of ${noun} with its history: ${flag} DIR`,
    );
  return { objects, shallow };
}

async function commitOf(
  tree: string,
  { noun, landmarks, flag: treeFlag }: TreeKind,
  revision: string,
  flag: string,
): Promise<Commit> {
  const asked = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const { exitCode, stdout } = await git(tree, asked, true);
  if (exitCode !== 0)
    throw new UsageError(
      `${flag}: ${resolve(tree)} has no revision ${revision}`,
      `list what there is: git -C ${tree} log --oneline`,
    );
  const id = stdout.trim();
  const { stdout: found } = await git(tree, ['ls-tree', '--name-only', id, '--', ...landmarks]);
  if (!landmarks.every((name) => found.split('\n').includes(name)))
    throw new UsageError(
      `${flag}: ${revision} of ${resolve(tree)} is not ${noun}: it has no ${landmarks.join(' and ')}`,
      `name the top folder of ${noun}: ${treeFlag} DIR`,
    );
  return describe(tree, id);
}

async function describe(tree: string, id: string): Promise<Commit> {
  const { stdout } = await git(tree, ['log', '-1', '--format=%an <%ae>%n%aI%n%s', id, '--']);
  const [author = '', date = '', subject = ''] = stdout.split('\n');
  return { id, author, date, subject };
}

/** Without the user's locale, hooks and settings: its words are read. */
async function git(
  cwd: string,
  args: readonly string[],
  mayFail = args[0] === 'bisect',
): Promise<{ exitCode: number; stdout: string }> {
  const all = ['-c', 'safe.directory=*', ...args];
  const result = await execa('git', all, {
    cwd,
    env: { ...WITHOUT_GIT, LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', GIT_OPTIONAL_LOCKS: '0' },
    reject: false,
    stdin: 'ignore',
  });
  if (result.code === 'ENOENT' && result.exitCode === undefined && existsSync(cwd))
    throw new RigError('host', 'git is missing: it does the search', 'install it: apt-get install git');
  if (!mayFail && result.failed)
    throw new RigError(
      'kernel',
      `git ${args[0] ?? ''} failed in ${cwd}`,
      undefined,
      result.stderr.split('\n'),
    );
  return { exitCode: result.exitCode ?? 1, stdout: result.stdout };
}

/** Within a hook or a `git bisect run` of the user, git's variables name his repository. */
const WITHOUT_GIT: Readonly<Record<string, undefined>> = Object.fromEntries(
  ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_PREFIX'].map((name) => [
    name,
    undefined,
  ]),
);
