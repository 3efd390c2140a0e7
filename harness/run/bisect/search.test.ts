import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { KERNEL_TREE } from '../../kernel/index.js';
import { openSearch, type Mark, type Search, type SearchState } from './search.js';

let tree: string;

beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), 'cxlrig-search-'));
  await git('init', '-q', '-b', 'main');
  await writeFile(join(tree, 'Kconfig'), '');
  await writeFile(join(tree, 'Makefile'), '');
  for (let number = 0; number <= 10; number += 1) await commit(`change ${number}`);
});

afterEach(() => rm(tree, { recursive: true, force: true }));

describe('the search for the first bad commit', () => {
  it('finds it, and leaves nothing behind and nothing in the tree', async () => {
    const before = await fingerprint();
    const foldersBefore = await searchFolders();
    const search = await open({});
    expect(search.bad).toMatchObject({ subject: 'change 10', author: 'A Developer <developer@example.org>' });
    const { state, tested } = await runSearch(search, (number) => (number >= 7 ? 'bad' : 'good'));
    expect(state).toMatchObject({ kind: 'found', culprit: { subject: 'change 7' } });
    expect(tested.length).toBeLessThanOrEqual(4);
    await search.close();
    expect(await searchFolders()).toEqual(foldersBefore);
    expect(await fingerprint()).toEqual(before);
    expect(existsSync(join(tree, '.git/BISECT_LOG'))).toBe(false);
  });

  it('goes around commits that can not be tested', async () => {
    const mark = (number: number): Mark => (number === 5 ? 'skip' : number >= 7 ? 'bad' : 'good');
    const { state, tested } = await runSearch(await open({}), mark);
    expect(tested).toContain(5);
    expect(state).toMatchObject({ kind: 'found', culprit: { subject: 'change 7' } });
  });

  it('names the suspects when only such commits are left', async () => {
    const mark = (number: number): Mark => ([6, 7].includes(number) ? 'skip' : number >= 7 ? 'bad' : 'good');
    const { state } = await runSearch(await open({}), mark);
    if (state.kind !== 'narrowed') throw new Error(state.kind);
    expect(state.suspects.map(({ subject }) => subject).sort()).toEqual(['change 6', 'change 7', 'change 8']);
  });

  it('follows first parents when told so, to the merge that brought it', async () => {
    await git('checkout', '-q', '-b', 'topic', 'HEAD~3');
    await commit('topic 11', 'topic');
    await git('checkout', '-q', 'main');
    await git('merge', '-q', '--no-ff', '-m', 'merge 12', 'topic');
    const search = await open({ good: 'HEAD^1', firstParent: true });
    expect(await search.start()).toMatchObject({ kind: 'found', culprit: { subject: 'merge 12' } });
  });

  it('refuses what it can not search, with the flag to mend', async () => {
    await expect(open({ good: 'v99' })).rejects.toThrow(/^--good: .* has no revision v99$/);
    await expect(open({ good: '--help' })).rejects.toThrow(/has no revision --help/);
    await expect(open({ good: 'HEAD' })).rejects.toThrow('HEAD and HEAD are the same commit');
    await expect(openSearch({ ...ENDS, tree: join(tree, 'nowhere') })).rejects.toThrow(
      'is no git repository',
    );
    await git('rm', '-q', 'Kconfig');
    await commit('no kernel');
    await expect(open({})).rejects.toThrow(
      /^--bad: HEAD of .* is not a kernel tree: it has no Kconfig and Makefile/,
    );
  });

  it('says so when the two ends are the wrong way round', async () => {
    const search = await open({ good: 'HEAD', bad: 'HEAD~5' });
    await expect(search.start()).rejects.toThrow(/git bisect can't go on/);
  });
});

const ENDS = { kind: KERNEL_TREE, good: 'HEAD~10', bad: 'HEAD', firstParent: false };

async function open(changes: Partial<typeof ENDS>): Promise<Search> {
  const search = await openSearch({ ...ENDS, ...changes, tree });
  onTestFinished(() => search.close());
  return search;
}

async function runSearch(
  search: Search,
  mark: (number: number) => Mark,
): Promise<{ state: SearchState; tested: number[] }> {
  const tested: number[] = [];
  let state = await search.start();
  while (state.kind === 'test') {
    const number = Number(state.commit.subject.replace(/\D/g, ''));
    tested.push(number);
    state = await search.mark(state.commit, mark(number));
  }
  return { state, tested };
}

async function git(...args: string[]): Promise<void> {
  await execa('git', ['-c', 'user.name=A Developer', '-c', 'user.email=developer@example.org', ...args], {
    cwd: tree,
  });
}

async function commit(subject: string, file = 'changed'): Promise<void> {
  await writeFile(join(tree, file), subject);
  await git('add', '-A');
  await git('commit', '-q', '-m', subject);
}

async function fingerprint(): Promise<string[]> {
  return (await readdir(tree, { recursive: true })).sort();
}

async function searchFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('cxlrig-bisect-'));
}
