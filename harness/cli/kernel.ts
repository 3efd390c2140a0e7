import { Option, type Command } from 'commander';
import { createColors } from '../base/colors.js';
import { UsageError } from '../base/errors.js';
import { formatSize } from '../base/size.js';
import { stopwatch } from '../base/stopwatch.js';
import { withBuildTools } from '../host/install.js';
import {
  cachedThings,
  listProfiles,
  removeThings,
  resolveConfig,
  resolveEachPatch,
  resolveKernel,
  type CachedThing,
  type PatchStep,
  type Profile,
  type ResolveOptions,
} from '../kernel/index.js';
import { liveView } from '../report/live.js';
import { bootCheck, type BootResult } from '../run/boot-check.js';
import { abortOnInterrupt } from './interrupt.js';
import { withKernelFlags, type KernelFlags } from './kernel-flags.js';

interface BuildFlags extends KernelFlags {
  readonly eachPatch?: boolean;
}

interface CleanFlags {
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

export function registerKernel(program: Command): void {
  const kernel = program
    .command('kernel')
    .description('list, build and configure kernels, and see what the cache has of them')
    .addHelpText(
      'after',
      `
Examples:
  cxlrig kernel list
  cxlrig kernel build minimal
  cxlrig kernel build minimal --patches ~/series/ --each-patch
  cxlrig kernel build --kernel-tree ~/src/linux
  cxlrig kernel config minimal-debug | grep KASAN
  cxlrig kernel clean --dry-run`,
    );
  registerKernelList(kernel);
  registerBuild(kernel);
  registerConfig(kernel);
  registerClean(kernel);
}

function registerKernelList(kernel: Command): void {
  kernel
    .command('list')
    .description('the profiles, and what is cached and how large it is')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addHelpText('after', '\nExamples:\n  cxlrig kernel list\n  cxlrig kernel list --format json')
    .action(async ({ format }: { format: 'text' | 'json' }) => {
      const [profiles, things] = await Promise.all([listProfiles(), cachedThings()]);
      process.stdout.write(
        format === 'json'
          ? `${JSON.stringify({ profiles, cached: things }, undefined, 2)}\n`
          : listText(profiles, things, process.stdout.isTTY),
      );
    });
}

function registerBuild(kernel: Command): void {
  withKernelFlags(
    kernel
      .command('build')
      .description('fetch or build a kernel, so that it is ready when a run wants it')
      .argument(
        '[profile]',
        'a profile by name or path, or a kernel tree (default: stock; with --patches: minimal)',
      ),
  )
    .option('--each-patch', 'build and boot after every patch of the series, and print a table')
    .addHelpText(
      'after',
      `
Patches are applied in order and strictly, as git am does. Nothing is ever written into a kernel tree.

Exit code: 0 it is ready; 1 a patch of --each-patch does not build or boot; 2 a patch does not apply, an option
is not to be had, the profile is wrong; 3 it does not build, or could not be fetched; 130 interrupted.

Examples:
  cxlrig kernel build minimal
  cxlrig kernel build minimal --patches 0001-dax.patch 0002-cxl.patch
  cxlrig kernel build minimal --patches series.mbox --each-patch
  cxlrig kernel build --kernel-tree ~/src/linux
  cxlrig kernel build minimal-debug --kernel-tree ~/src/linux`,
    )
    .action(async (profile: string | undefined, flags: BuildFlags) => {
      process.exitCode = await watched(
        (options) => (flags.eachPatch ? buildEachPatch(profile, options) : build(profile, options)),
        flags,
      );
    });
}

function registerConfig(kernel: Command): void {
  withKernelFlags(
    kernel
      .command('config')
      .description(
        'print the .config of a kernel; for one that is built here, make it without building the kernel',
      )
      .argument('[profile]', 'a profile by name or path, or a kernel tree'),
  )
    .addHelpText(
      'after',
      `
Every option that a profile asks for must be in the result: one that is not ends it with code 2, saying why.

Examples:
  cxlrig kernel config minimal > my.config
  cxlrig kernel config --kernel-tree ~/src/linux | grep CXL`,
    )
    .action(async (profile: string | undefined, flags: KernelFlags) => {
      process.exitCode = await watched(async (options) => {
        process.stdout.write(await resolveConfig(profile, options));
        return 0;
      }, flags);
    });
}

function registerClean(kernel: Command): void {
  kernel
    .command('clean')
    .description(
      'remove build folders and sources from the cache, once nobody uses them; kernels stay unless --all',
    )
    .argument('[names...]', 'only these, by the names that list prints')
    .option('--all', 'remove the kernels, too')
    .option('-n, --dry-run', 'only say what would be removed')
    .addHelpText(
      'after',
      '\nExamples:\n  cxlrig kernel clean --dry-run\n  cxlrig kernel clean minimal-debug-1a2b3c4d\n  cxlrig kernel clean --all',
    )
    .action(async (names: string[], { all = false, dryRun = false }: CleanFlags) => {
      const things = thingsToClean(await cachedThings(), names, all);
      for (const { kind, name, bytes } of things)
        process.stdout.write(`${dryRun ? 'would remove' : 'remove'} ${kind} ${name} (${roundSize(bytes)})\n`);
      const waiting = (name: string) =>
        void process.stderr.write(`waiting for the commands that use ${name}\n`);
      if (!dryRun) await removeThings(things, waiting);
      const total = things.reduce((sum, { bytes }) => sum + bytes, 0);
      process.stdout.write(`${things.length === 0 ? 'nothing to remove' : `${roundSize(total)} in all`}\n`);
    });
}

function watched(work: (options: ResolveOptions) => Promise<number>, flags: KernelFlags): Promise<number> {
  return withBuildTools(() => watchedOnce(work, flags));
}

async function watchedOnce(
  work: (options: ResolveOptions) => Promise<number>,
  { kernelTree, patches, mirror }: KernelFlags,
): Promise<number> {
  const interrupt = abortOnInterrupt();
  const view = liveView(process.stderr);
  try {
    return await work({
      kernelTree,
      patches,
      mirror,
      signal: interrupt.signal,
      progress: (update) => view.progress(update),
    });
  } finally {
    view.close();
    interrupt.release();
  }
}

async function build(profile: string | undefined, options: ResolveOptions): Promise<number> {
  const elapsed = stopwatch();
  const kernel = await resolveKernel(profile, options);
  const colors = createColors(process.stdout.isTTY);
  process.stdout.write(
    [
      `${colors.green('ready')} ${kernel.release} (${kernel.profile}) in ${seconds(elapsed())}`,
      `  from     ${kernel.origin}`,
      `  image    ${kernel.image}`,
      `  modules  ${kernel.modulesDir}`,
      `  config   ${kernel.config}`,
      '',
    ].join('\n'),
  );
  return 0;
}

async function buildEachPatch(profile: string | undefined, options: ResolveOptions): Promise<number> {
  const boots = new Map<number, BootResult>();
  const steps = await resolveEachPatch(profile, options, async ({ number, kernel }) => {
    if (kernel) boots.set(number, await bootCheck(kernel, options));
  });
  process.stdout.write(patchTable(steps, boots));
  return steps.every(({ kernel, number }) => kernel && boots.get(number)?.good !== false) ? 0 : 1;
}

/** The table of `--each-patch`, and below it what went wrong. */
export function patchTable(steps: readonly PatchStep[], boots: ReadonlyMap<number, BootResult>): string {
  const rows = steps.map(({ number, of, patch, kernel, milliseconds }) => [
    `${number}/${of}`,
    patch.subject ?? patch.name,
    kernel ? 'builds' : 'does not build',
    seconds(milliseconds),
    boots.get(number)?.text ?? '',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const faults = steps.flatMap(({ number, of, error }) =>
    error ? ['', `${number}/${of}: ${error.message}`, ...error.evidence.map((line) => `  | ${line}`)] : [],
  );
  return `${[...table, ...faults].join('\n')}\n`;
}

function thingsToClean(
  things: readonly CachedThing[],
  names: readonly string[],
  all: boolean,
): readonly CachedThing[] {
  const known = new Set(things.map(({ name }) => name));
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new UsageError(
      `the cache has no ${unknown.join(', ')}`,
      known.size === 0 ? 'it has nothing of kernels' : `it has: ${[...known].join(', ')}`,
    );
  if (names.length > 0) return things.filter(({ name }) => names.includes(name));
  return things.filter(({ kind }) => all || kind !== 'kernel');
}

function listText(profiles: readonly Profile[], things: readonly CachedThing[], color: boolean): string {
  const colors = createColors(color);
  const width = Math.max(...[...profiles, ...things].map(({ name }) => name.length));
  const lines = [
    colors.bold('profiles'),
    ...profiles.map(({ name, description }) => `  ${name.padEnd(width)}  ${colors.dim(description)}`),
  ];
  for (const kind of ['kernel', 'build', 'source'] as const) {
    const some = things.filter((thing) => thing.kind === kind);
    if (some.length === 0) continue;
    lines.push('', colors.bold(TITLES[kind]));
    for (const { name, bytes, entry } of some) {
      const what = entry ? `  ${entry.release}  ${entry.origin}` : '';
      lines.push(`  ${name.padEnd(width)}  ${roundSize(bytes).padStart(7)}${colors.dim(what)}`);
    }
  }
  const total = things.reduce((sum, { bytes }) => sum + bytes, 0);
  lines.push('', things.length === 0 ? 'nothing is cached' : `${roundSize(total)} cached in all`);
  return `${lines.join('\n')}\n`;
}

const TITLES = {
  kernel: 'cached: kernels ready to boot',
  build: 'cached: builds, for the next one to be quick',
  source: 'cached: sources',
} as const;

function roundSize(bytes: number): string {
  const unit = bytes >= 2 ** 30 ? 2 ** 30 / 10 : 2 ** 20;
  return unit === 2 ** 20
    ? formatSize(Math.max(1, Math.round(bytes / unit)) * unit)
    : `${(Math.round(bytes / unit) / 10).toFixed(1)}G`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
