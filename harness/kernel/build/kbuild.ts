import { execa } from 'execa';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { cores } from '../../base/cores.js';
import { RigError } from '../../base/errors.js';
import { programPath } from './build-tools.js';
import { underLock } from './lock.js';
import { missingTool } from '../tool.js';
import type { BuildPlace } from '../sources/work-tree.js';

/** Far above what a kernel takes anywhere; only so that a build that hangs ends. */
const BUILD_DEADLINE_MS = 8 * 60 * 60_000;

export interface MakeOptions {
  readonly variables?: Readonly<Record<string, string>>;
  /** hears every line that make and its children print */
  readonly line?: (line: string) => void;
  /** ends make and the compilers */
  readonly signal?: AbortSignal | undefined;
}

export interface MakeResult {
  readonly failed: boolean;
  /** everything printed, in order */
  readonly lines: readonly string[];
}

export function logFile(place: BuildPlace): string {
  return join(place.dir, 'build.log');
}

/**
 * Runs kbuild on a place, objects apart from sources. What it prints is added to the place's build.log.
 *
 * When we are killed, make and its children lose the pipe they print to and end at their next message; until then
 * they hold the lock of the place.
 */
export async function make(
  place: BuildPlace,
  targets: readonly string[],
  options: MakeOptions = {},
): Promise<MakeResult> {
  const [program, args] = underLock(place.processes, 'make', [
    '-C',
    place.src,
    `O=${place.obj}`,
    `-j${cores()}`,
    // an error message stays in one piece when several compilers run
    '--output-sync=target',
    '--no-print-directory',
    ...Object.entries({ ...FIXED, ...options.variables }).map(([name, value]) => `${name}=${value}`),
    ...targets,
  ]);
  const child = execa(program, args, {
    env: cleanEnvironment(),
    extendEnv: false,
    all: true,
    buffer: false,
    stdin: 'ignore',
    reject: false,
    timeout: BUILD_DEADLINE_MS,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  const log = createWriteStream(logFile(place), { flags: 'a' });
  const lines: string[] = [];
  for await (const line of child.iterable({ from: 'all' })) {
    lines.push(line);
    log.write(`${line}\n`);
    options.line?.(line);
  }
  const result = await child;
  log.end();
  await once(log, 'close');
  options.signal?.throwIfAborted();
  if (result.code === 'ENOENT') throw missingTool('flock', 'build a kernel');
  if (result.timedOut)
    throw new RigError('kernel', 'the kernel build did not end within eight hours', `see ${logFile(place)}`);
  return { failed: result.failed, lines };
}

/** Equal sources and configuration give an equal kernel, whoever builds it, where and when. */
const FIXED = {
  KBUILD_BUILD_USER: 'cxlrig',
  KBUILD_BUILD_HOST: 'cxlrig',
  KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
  KBUILD_BUILD_VERSION: '1',
  LOCALVERSION: '',
};

/** kbuild takes orders from its environment: none but ours. */
function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(MAKE|MFLAGS|KBUILD|KCONFIG|KCFLAGS|KCPPFLAGS|INSTALL_|ARCH$|CROSS_COMPILE$|LLVM|O$|V$|W$|C$|M$|CC$)/.test(
        name,
      ),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), LC_ALL: 'C' };
}

/** `CC=` for make: through ccache where the host has it. */
export function compilerVariables(): Record<string, string> {
  return programPath('ccache') === undefined ? {} : { CC: 'ccache gcc' };
}

/** Variables for make by which it works on the modules of one folder of the sources, whose objects lie apart too. */
export function moduleFolder(place: BuildPlace, folder: string): Record<string, string> {
  return { M: folder, MO: join(place.dir, 'modules', folder) };
}

/** A step that kbuild announces: `  CC [M]  drivers/dax/kmem.o`. */
export interface KbuildStep {
  readonly verb: string;
  readonly target: string;
}

export function kbuildStep(line: string): KbuildStep | undefined {
  const match = /^ {2}([A-Z][A-Z0-9_]*)\s+(?:\[M\]\s+)?(\S+)/.exec(line);
  return match ? { verb: match[1] ?? '', target: match[2] ?? '' } : undefined;
}

/** Whether a step compiles an object of the kernel: what the progress of a build is counted in. */
export function compiles(step: KbuildStep): boolean {
  return step.verb === 'CC' || step.verb === 'AS';
}

/** How many objects `make` would compile now, by what `make -n` prints. Needs `make prepare`, and takes seconds. */
export async function countObjects(
  place: BuildPlace,
  targets: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<number> {
  let count = 0;
  const [program, args] = underLock(place.processes, 'make', [
    '-n',
    '-C',
    place.src,
    `O=${place.obj}`,
    ...Object.entries({ ...FIXED, ...variables }).map(([name, value]) => `${name}=${value}`),
    ...targets,
  ]);
  const child = execa(program, args, {
    env: cleanEnvironment(),
    extendEnv: false,
    buffer: false,
    stdin: 'ignore',
    stderr: 'ignore',
    reject: false,
    timeout: 10 * 60_000,
  });
  // it ends with an error where the link would need objects that are not there yet
  for await (const line of child.iterable()) if (/echo ' {2}(CC|AS)[ ']/.test(line)) count++;
  await child;
  return count;
}
