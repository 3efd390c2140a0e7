import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { contentKey } from '../base/cache/cache.js';
import { cores } from '../base/cores.js';
import { missingTool } from '../base/tool.js';
import { programPath } from '../kernel/build/build-tools.js';
import { logFile } from '../kernel/build/kbuild.js';
import { underLock } from '../kernel/build/lock.js';
import type { BuildPlace } from '../kernel/sources/work-tree.js';
import type { BuildRecipe } from './recipe.js';

/** meson and ninja on a place. */

export interface MesonRun {
  readonly failed: boolean;
  readonly lines: readonly string[];
}

/** Far above what ndctl takes anywhere; only so that a build that hangs ends. */
const DEADLINE_MS = 30 * 60_000;

/**
 * The machine file by which meson compiles for the guest: headers and libraries are the sysroot's, the compiler is the
 * host's. gcc looks for libraries beside itself too, so the sysroot's folder comes first.
 */
export function machineFile(sysroot: string, includes: readonly string[]): string {
  const libraries = `${sysroot}/usr/lib/x86_64-linux-gnu`;
  const list = (words: readonly string[]) => `[${words.map((word) => `'${word}'`).join(', ')}]`;
  const compiler = programPath('ccache') === undefined ? ['gcc'] : ['ccache', 'gcc'];
  return [
    '[binaries]',
    `c = ${list(compiler)}`,
    "ar = 'gcc-ar'",
    "strip = 'strip'",
    "pkgconfig = 'pkg-config'",
    '[properties]',
    `sys_root = '${sysroot}'`,
    `pkg_config_libdir = '${libraries}/pkgconfig:${sysroot}/usr/share/pkgconfig'`,
    // what is compiled may want a newer C library than the host's
    'needs_exe_wrapper = true',
    '[built-in options]',
    `c_args = ${list([`--sysroot=${sysroot}`, ...includes.map((dir) => `-I${sysroot}${dir}`)])}`,
    `c_link_args = ${list([`--sysroot=${sysroot}`, `-L${libraries}`, `-B${libraries}/`])}`,
    '[host_machine]',
    "system = 'linux'",
    "cpu_family = 'x86_64'",
    "cpu = 'x86_64'",
    "endian = 'little'",
    '',
  ].join('\n');
}

/** Configures a place unless it is configured just so already; ninja itself sees to changes of the tree's meson.build. */
export async function configureTools(
  place: BuildPlace,
  sysroot: string,
  recipe: Pick<BuildRecipe, 'includes' | 'options'>,
  wanted: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<MesonRun> {
  const known = await optionsOf(place);
  const options = Object.entries({ ...recipe.options, ...wanted }).filter(([name]) => known.has(name));
  const machine = machineFile(sysroot, recipe.includes);
  const mark = join(place.dir, 'configured');
  const identity = contentKey(machine, JSON.stringify(options));
  if ((await readFile(mark, 'utf8').catch(() => '')) === identity) return { failed: false, lines: [] };
  await rm(mark, { force: true });
  await rm(place.obj, { recursive: true, force: true });
  const file = join(place.dir, 'machine.ini');
  await writeFile(file, machine);
  const done = await runIn(
    place,
    'meson',
    [
      'setup',
      place.obj,
      place.src,
      `--cross-file=${file}`,
      '--prefix=/usr',
      '--libdir=lib/x86_64-linux-gnu',
      '--sysconfdir=/etc',
      '--buildtype=release',
      '--wrap-mode=nodownload',
      ...options.map(([name, value]) => `-D${name}=${value}`),
    ],
    signal,
  );
  if (!done.failed) await writeFile(mark, identity);
  return done;
}

/** Compiles what is not up to date. */
export function compileTools(
  place: BuildPlace,
  targets: readonly string[],
  line: (text: string) => void,
  signal?: AbortSignal,
): Promise<MesonRun> {
  return runIn(place, 'ninja', ['-C', place.obj, `-j${cores()}`, ...targets], signal, line);
}

/** Installs programs and libraries below a folder; of headers, texts and configuration the packages have what is needed. */
export function installTools(place: BuildPlace, into: string): Promise<MesonRun> {
  const args = ['--no-rebuild', '--strip', '--tags=runtime', `--destdir=${into}`];
  return runIn(place, 'meson', ['install', '-C', place.obj, ...args]);
}

/** The tests that the place is configured with, as JSON in the lines. */
export function introspectTests(place: BuildPlace): Promise<MesonRun> {
  return runIn(place, 'meson', ['introspect', '--tests', place.obj]);
}

/** The options that a tree knows: they differ between releases, and meson refuses others. */
async function optionsOf({ src }: BuildPlace): Promise<ReadonlySet<string>> {
  const texts = await Promise.all(
    ['meson_options.txt', 'meson.options'].map((name) => readFile(join(src, name), 'utf8').catch(() => '')),
  );
  const names = texts.join('\n').matchAll(/^\s*option\(\s*'([\w-]+)'/gm);
  return new Set([...names].map(([, name = '']) => name));
}

/** What it prints is added to the place's build.log. Its children hold the place's lock for as long as they live. */
async function runIn(
  place: BuildPlace,
  command: string,
  args: readonly string[],
  signal?: AbortSignal,
  line?: (text: string) => void,
): Promise<MesonRun> {
  const [program, all] = underLock(place.processes, command, args);
  const child = execa(program, all, {
    env: environment(),
    extendEnv: false,
    all: true,
    buffer: false,
    stdin: 'ignore',
    reject: false,
    timeout: DEADLINE_MS,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  const log = createWriteStream(logFile(place), { flags: 'a' });
  const lines: string[] = [];
  for await (const text of child.iterable({ from: 'all' })) {
    lines.push(text);
    log.write(`${text}\n`);
    line?.(text);
  }
  const { failed, code } = await child;
  log.end();
  await once(log, 'close');
  signal?.throwIfAborted();
  if (code === 'ENOENT') throw missingTool('flock', 'build the tools');
  return { failed, lines };
}

/** Compilers and meson take orders from their environment: none but ours. */
function environment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'CCACHE_DIR', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
