import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheRoot } from '../../base/places.js';
import { exclusively, useUntilExit } from '../build/lock.js';
import { tool } from '../tool.js';

/**
 * The depot: one bare git repository in the cache that every source tree passes through. A state of the sources is
 * a git tree there: equal content has an equal name, patches apply to an index without touching a file, and git
 * brings a work tree from one state to another by writing only the files that differ, which is what keeps kbuild
 * from building again what did not change.
 */
export interface Depot {
  readonly dir: string;
  /** for indexes that live as long as one call */
  readonly scratch: string;
}

/** What one git command works on. */
export interface GitContext {
  readonly index?: string;
  readonly workTree?: string;
  /** object folders of other repositories to read from */
  readonly alternates?: readonly string[];
  readonly input?: string | Uint8Array;
  readonly purpose: string;
}

/** The folder of the cache with all that belongs to sources. */
export function sourceFolder(): string {
  return join(cacheRoot(), 'kernel-source');
}

/** Guards all sources, the depot too: shared by those who read them, alone with who removes some. */
export function sourcesInUse(): string {
  return join(sourceFolder(), 'in-use.lock');
}

export async function openDepot(): Promise<Depot> {
  const folder = sourceFolder();
  await useUntilExit(sourcesInUse());
  const depot = { dir: join(folder, 'depot.git'), scratch: join(folder, 'scratch') };
  await mkdir(depot.scratch, { recursive: true });
  if (!existsSync(join(depot.dir, 'complete'))) {
    await exclusively(
      join(folder, 'depot.lock'),
      () => undefined,
      () => createDepot(depot),
    );
  }
  await sweep(depot.scratch);
  return depot;
}

/** Runs git in the depot. @returns its standard output */
export function git(depot: Depot, args: readonly string[], context: GitContext): Promise<Buffer> {
  return tool({
    program: 'git',
    args: [...SETTINGS.flatMap((setting) => ['-c', setting]), ...args],
    purpose: context.purpose,
    cwd: context.workTree ?? depot.dir,
    env: gitEnvironment(depot, context),
    ...(context.input === undefined ? {} : { input: context.input }),
  });
}

/** Arguments and environment for who starts git himself. */
export function gitCommand(
  depot: Depot,
  args: readonly string[],
  context: Omit<GitContext, 'input' | 'purpose'>,
) {
  return {
    args: [...SETTINGS.flatMap((setting) => ['-c', setting]), ...args],
    env: gitEnvironment(depot, context),
  };
}

/** The user's settings must not change what a tree is: no line end conversion, no excludes but the tree's own. */
const SETTINGS = [
  'core.autocrlf=false',
  'core.excludesFile=/dev/null',
  'core.attributesFile=/dev/null',
  'core.fsmonitor=false',
  'core.bare=false',
  // hard links change a file's ctime
  'core.trustctime=false',
  'advice.addEmbeddedRepo=false',
];

const DAY_MS = 24 * 60 * 60_000;

async function createDepot(depot: Depot): Promise<void> {
  if (existsSync(join(depot.dir, 'complete'))) return;
  await rm(depot.dir, { recursive: true, force: true });
  const context = { purpose: 'make a repository for kernel sources' };
  await tool({ program: 'git', args: ['init', '-q', '--bare', depot.dir], ...context });
  // what is not referenced is the very content of this repository
  await git(depot, ['config', 'gc.auto', '0'], context);
  await mkdir(join(depot.dir, 'complete'));
}

function gitEnvironment(
  depot: Depot,
  context: Omit<GitContext, 'input' | 'purpose'>,
): Record<string, string> {
  return {
    GIT_DIR: depot.dir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_OPTIONAL_LOCKS: '0',
    ...(context.index === undefined ? {} : { GIT_INDEX_FILE: context.index }),
    ...(context.workTree === undefined ? {} : { GIT_WORK_TREE: context.workTree }),
    ...(context.alternates === undefined || context.alternates.length === 0
      ? {}
      : { GIT_ALTERNATE_OBJECT_DIRECTORIES: context.alternates.join(':') }),
  };
}

/** A run that was killed leaves its scratch files; a day later nobody uses them. */
async function sweep(scratch: string): Promise<void> {
  for (const name of await readdir(scratch)) {
    const path = join(scratch, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > DAY_MS) await rm(path, { recursive: true, force: true });
  }
}
