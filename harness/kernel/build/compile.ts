import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../base/errors.js';
import type { Progress } from '../../base/progress.js';
import { BuildFailed, firstFault, suspect } from './build-failure.js';
import type { ConfigLine } from '../config/config-file.js';
import { git } from '../sources/depot.js';
import {
  compilerVariables,
  compiles,
  countObjects,
  kbuildStep,
  logFile,
  make,
  moduleFolder,
} from './kbuild.js';
import type { Patch } from '../sources/series.js';
import type { SourceTree } from '../sources/source-tree.js';
import type { BuildPlace } from '../sources/work-tree.js';

export interface CompileJob {
  readonly place: BuildPlace;
  readonly source: SourceTree;
  /** the state of the sources that is checked out */
  readonly tree: string;
  readonly patches: readonly Patch[];
  readonly options: ReadonlyMap<string, ConfigLine>;
  /** folders of the sources whose modules are built besides */
  readonly modules: readonly string[];
  /** for messages */
  readonly what: string;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Compiles what is not up to date. The progress counts objects: how many there are to compile is known before.
 * @throws BuildFailed
 */
export async function compile(job: CompileJob): Promise<void> {
  const { place, options, patches, what, progress } = job;
  const missing = job.modules.find((folder) => !existsSync(join(place.src, folder)));
  if (missing !== undefined)
    throw new UsageError(`${what} has no folder ${missing}, whose modules are to be built`);
  const task = 'build the kernel';
  const targets = [bootsAsElf(options) ? 'vmlinux' : 'bzImage', ...(hasModules(options) ? ['modules'] : [])];
  const variables = compilerVariables();
  const run = async (goals: readonly string[], line: (text: string) => void, more = {}) => {
    const { failed, lines } = await make(place, goals, {
      variables: { ...variables, ...more },
      line,
      signal: job.signal,
    });
    if (!failed) return;
    const fault = firstFault(lines, place.src);
    throw new BuildFailed(fault, suspect(fault, patches), what, logFile(place));
  };

  let total = await sourcesChanged(job);
  if (total === undefined) {
    progress({ task, detail: 'prepare' });
    await run(['prepare'], () => undefined);
    total = await countObjects(place, targets, variables);
  }
  let done = 0;
  await run(targets, (text) => {
    const step = kbuildStep(text);
    if (!step) return;
    if (compiles(step)) done++;
    progress({
      task,
      detail: `${done}/${Math.max(total, done)} ${step.target}`,
      // linking is still to come when the last object is there
      fraction: Math.min(0.99, done / Math.max(total, done, 1)),
    });
  });
  await remember(job);
  for (const folder of job.modules) {
    progress({ task, detail: folder });
    await run(['modules'], () => undefined, moduleFolder(place, folder));
  }
  progress({ task, detail: what, fraction: 1 });
}

/** A kernel with a PVH entry boots from vmlinux, so nobody need pack it into a bzImage. */
export function bootsAsElf(options: ReadonlyMap<string, ConfigLine>): boolean {
  return options.get('PVH')?.value === 'y';
}

export function hasModules(options: ReadonlyMap<string, ConfigLine>): boolean {
  return options.get('MODULES')?.value === 'y';
}

/**
 * How many source files differ from the last complete build here, when nothing but .c and .S files do, so that each
 * stands for one object. Undefined when only kbuild can tell what follows from the change.
 */
async function sourcesChanged({ place, source, tree }: CompileJob): Promise<number | undefined> {
  const last = await readFile(join(place.dir, 'built'), 'utf8').catch(() => '');
  const [builtTree, builtConfig] = last.split(' ');
  if (builtTree === undefined || builtTree === '' || builtConfig !== (await configHash(place)))
    return undefined;
  const listed = await git(source.depot, ['diff-tree', '-r', '-z', '--name-only', builtTree, tree], {
    alternates: source.alternates,
    purpose: 'compare with the last build',
  }).catch(() => undefined);
  const paths = listed
    ?.toString()
    .split('\0')
    .filter((path) => path !== '' && !path.startsWith('Documentation/'));
  return paths?.every((path) => /\.[cS]$/.test(path)) === true ? paths.length : undefined;
}

async function remember({ place, tree }: CompileJob): Promise<void> {
  const file = join(place.dir, 'built');
  await writeFile(`${file}.draft`, `${tree} ${await configHash(place)}`);
  await rename(`${file}.draft`, file);
}

async function configHash(place: BuildPlace): Promise<string> {
  const config = await readFile(join(place.obj, '.config'));
  return createHash('sha256').update(config).digest('hex');
}
