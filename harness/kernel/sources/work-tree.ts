import { execa } from 'execa';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RigError } from '../../base/errors.js';
import type { Progress } from '../../base/progress.js';
import { storePristine } from './apply-series.js';
import { git, gitCommand, type GitContext } from './depot.js';
import { underLock } from '../build/lock.js';
import type { SourceTree } from './source-tree.js';
import { tool } from '../tool.js';

/** Where a profile is built: its own copy of the sources, and beside it what is made of them. */
export interface BuildPlace {
  readonly dir: string;
  readonly src: string;
  readonly obj: string;
  readonly index: string;
  /** held by who has the place for itself; beside it, for it stays when the place is removed */
  readonly lock: string;
  /** held by all processes that write here: see lock.ts */
  readonly processes: string;
}

export function placeLock(dir: string): string {
  return `${dir}.lock`;
}

export function buildPlace(dir: string): BuildPlace {
  return {
    dir,
    src: join(dir, 'src'),
    obj: join(dir, 'obj'),
    index: join(dir, 'index'),
    lock: placeLock(dir),
    processes: join(dir, 'processes.lock'),
  };
}

/**
 * Makes the copy equal to a state of the sources, writing only the files that differ: all others keep their times,
 * so kbuild builds again only what depends on a change. Whatever an interrupted run left half-written differs too.
 *
 * The caller has the place for itself.
 *
 * @returns the paths that were written, changed or removed
 */
export async function checkOut(
  place: BuildPlace,
  source: SourceTree,
  tree: string,
  progress: Progress,
): Promise<readonly string[]> {
  const task = 'bring the sources to the build';
  if (!existsSync(join(place.dir, 'checked-out'))) await startCopy(place, source, () => progress({ task }));
  // left by a git that was killed; nobody else is here
  await rm(`${place.index}.lock`, { force: true });
  const context: GitContext = {
    index: place.index,
    workTree: place.src,
    alternates: source.alternates,
    purpose: 'compare the sources with their copy',
  };
  // ends with 1 when files differ, which is what it is asked for
  const { args, env } = gitCommand(source.depot, ['update-index', '-q', '--refresh'], context);
  await execa('git', args, { cwd: place.src, env, reject: false, stdin: 'ignore' });
  const interrupted = existsSync(join(place.dir, 'checking-out'));
  const changed = await differing(source, context, tree, interrupted);
  if (changed.length === 0) return [];
  progress({ task, detail: `${changed.length} files` });
  await writeFile(join(place.dir, 'checking-out'), '');
  await storePristine(source, changed);
  await readTree(place, source, context, tree, interrupted);
  await writeFile(join(place.dir, 'checked-out'), '');
  await rm(join(place.dir, 'checking-out'), { force: true });
  return changed;
}

/** Sources that were unpacked by us are linked instead of copied: git replaces files, it never writes into one. */
async function startCopy(place: BuildPlace, source: SourceTree, begin: () => void): Promise<void> {
  begin();
  await Promise.all([place.src, place.index].map((path) => rm(path, { recursive: true, force: true })));
  if (!source.pristine) {
    await mkdir(place.src);
    return;
  }
  const draft = `${place.src}.draft`;
  await rm(draft, { recursive: true, force: true });
  await tool({
    program: 'cp',
    args: ['-al', source.pristine.dir, draft],
    purpose: 'copy the kernel sources',
  });
  await copyFile(source.pristine.index, place.index);
  await rename(draft, place.src);
  await writeFile(join(place.dir, 'checked-out'), '');
}

/** What differs from the wanted state: in the index (another state) or in a file (damage). */
async function differing(
  source: SourceTree,
  context: GitContext,
  tree: string,
  interrupted: boolean,
): Promise<string[]> {
  const names = async (args: readonly string[]) =>
    (await git(source.depot, [...args, '-z'], context))
      .toString()
      .split('\0')
      .filter((name) => name !== '');
  const fresh = !existsSync(context.index ?? '');
  const lists = [
    fresh
      ? await names(['ls-tree', '-r', '--name-only', tree])
      : await names(['diff-index', '--cached', '--name-only', tree]),
    await names(['diff-files', '--name-only']),
    interrupted ? await names(['ls-files', '--others']) : [],
  ];
  return [...new Set(lists.flat())];
}

async function readTree(
  place: BuildPlace,
  source: SourceTree,
  context: GitContext,
  tree: string,
  interrupted: boolean,
): Promise<void> {
  const run = async (...gitArgs: string[]) => {
    const { args, env } = gitCommand(source.depot, gitArgs, context);
    const [program, all] = underLock(place.processes, 'git', args);
    const result = await execa(program, all, { cwd: place.src, env, reject: false, stdin: 'ignore' });
    if (result.failed)
      throw new RigError(
        'kernel',
        `could not bring ${source.label} to ${place.src}: ${result.stderr.trim().split('\n')[0] || result.shortMessage}`,
        'remove the build and try again: cxlrig kernel clean',
        result.stderr.split('\n').slice(-10),
      );
  };
  await run('read-tree', '--reset', '-u', tree);
  if (interrupted) await run('clean', '-q', '-f', '-d', '-x');
}
