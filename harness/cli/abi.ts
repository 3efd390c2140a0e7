import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import {
  diffInventories,
  documentationOf,
  parseDocumentation,
  takeInventory,
  type Documentation,
} from '../abi/inventory/index.js';
import { RigError, UsageError } from '../base/errors.js';
import type { Progress } from '../base/progress.js';
import { bootGuest, chooseAccelerator } from '../guest/index.js';
import {
  chooseProfile,
  readSourceFiles,
  type KernelChoice,
  type Profile,
  type ResolvedKernel,
} from '../kernel/index.js';
import { abiDiffText, abiText } from '../report/abi/text.js';
import { ABI_VERSION, abiReportSchema, type AbiReport } from '../report/abi/report.js';
import { liveView } from '../report/live.js';
import { prepareBootable } from '../run/prepare.js';
import { loadTopology } from '../topology/index.js';
import { abortOnInterrupt } from './interrupt.js';
import { KERNEL_FLAGS_HELP, withKernelFlags, type KernelFlags } from './kernel-flags.js';

interface InventoryFlags extends KernelFlags {
  readonly topology: string;
  readonly accel?: 'tcg' | 'kvm';
  readonly documentation?: string;
  readonly format: 'text' | 'json';
}

interface AbiFlags extends InventoryFlags {
  readonly kernel?: string;
  readonly undocumented?: boolean;
}

/** Where kernel developers keep what they promise: `obsolete` is still promised, `removed` is not. */
const PROMISES = ['stable', 'testing', 'obsolete'];
const ABI_FOLDER = 'Documentation/ABI';

export function registerAbi(program: Command): void {
  const abi = withInventoryFlags(
    program
      .command('abi')
      .description('list the sysfs attributes that a kernel offers on the cxl, dax, nd and memory buses')
      .option('-k, --kernel <profile>', 'the kernel (default: stock)'),
  )
    .option('--undocumented', 'only attributes that Documentation/ABI does not have')
    .addHelpText(
      'after',
      `${KERNEL_FLAGS_HELP}

A guest is booted, and regions, dax devices and namespaces are made and bound to every driver that takes them,
for most attributes to appear. Nothing but that is written, and no attribute is read that does something when read.
Documentation/ABI is that of the kernel's own sources, with its patches; of a Debian image that of the linux-source
package of its release, which is fetched when the cache has it not.

Exit code: 0; 2 a flag or profile is wrong; 3 the rig could not do its work; 130 interrupted.

Examples:
  cxlrig abi
  cxlrig abi --kernel debian-stable --undocumented
  cxlrig abi --patches ~/series/ --format json > patched.json
  cxlrig abi diff debian-stable stock
  cxlrig abi diff before.json patched.json`,
    )
    .action(async (flags: AbiFlags) => {
      const { kernel, kernelTree, patches, undocumented = false } = flags;
      const [report] = await inventories(
        [await chooseProfile({ profile: kernel, kernelTree, patches })],
        flags,
      );
      if (!report) return;
      process.stdout.write(flags.format === 'json' ? jsonText(report) : abiText(report, { undocumented }));
    });
  withInventoryFlags(
    abi
      .command('diff')
      .description('attributes that came, went or have other permissions between two kernels')
      .argument('<base>', 'a kernel profile, or a file that abi --format json wrote')
      .argument(
        '[head]',
        'the same of the other kernel (default: the base with --patches, or --kernel-tree)',
      ),
  )
    .addHelpText(
      'after',
      `
Exit code: 0, also where they differ; 2 a flag or profile is wrong; 3 the rig could not do its work.

Examples:
  cxlrig abi diff debian-stable stock
  cxlrig abi diff minimal --patches ~/series/
  cxlrig abi diff before.json stock --format json`,
    )
    .action(async (base: string, head: string | undefined, _: unknown, command: Command) => {
      await diffCommand(base, head, command.optsWithGlobals<InventoryFlags>());
    });
}

function withInventoryFlags(command: Command): Command {
  return withKernelFlags(command)
    .option(
      '--topology <name>',
      'topology whose devices are there (default: one with both kinds of memory)',
      'mixed',
    )
    .option('--documentation <dir>', "take Documentation/ABI of this kernel tree instead of the kernel's own")
    .addOption(
      new Option('--accel <name>', 'accelerator instead of the one that was found to work').choices([
        'tcg',
        'kvm',
      ]),
    )
    .addOption(new Option('-f, --format <format>', 'how to print').choices(['text', 'json']).default('text'));
}

async function diffCommand(base: string, head: string | undefined, flags: InventoryFlags): Promise<void> {
  const { kernelTree, patches } = flags;
  if (head === undefined && kernelTree === undefined && patches === undefined)
    throw new UsageError(
      'one kernel has nothing to differ from',
      'name another, or give --patches or --kernel-tree',
    );
  const sides = [
    await sideOf(base, {}),
    await sideOf(head ?? (kernelTree === undefined ? base : undefined), { kernelTree, patches }),
  ];
  const made = await inventories(
    sides.flatMap((side) => ('profile' in side ? [side.profile] : [])),
    flags,
  );
  const [was, is] = sides.map((side) => ('report' in side ? side.report : made.shift()));
  if (!was || !is) return;
  const diff = diffInventories(was.attributes, is.attributes);
  process.stdout.write(
    flags.format === 'json'
      ? jsonText({ base: was.kernel, head: is.kernel, ...diff })
      : abiDiffText(was, is, diff),
  );
}

type DiffSide = { readonly report: AbiReport } | { readonly profile: Profile };

async function sideOf(name: string | undefined, onTop: Omit<KernelChoice, 'profile'>): Promise<DiffSide> {
  if (name?.endsWith('.json')) {
    if (onTop.patches !== undefined || onTop.kernelTree !== undefined)
      throw new UsageError(`${name} is saved: nothing can be put on it`, 'name a profile instead');
    return { report: await readReport(name) };
  }
  return { profile: await chooseProfile({ profile: name, ...onTop }) };
}

/** @throws UsageError when the file is not what this version writes */
async function readReport(file: string): Promise<AbiReport> {
  try {
    return abiReportSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new UsageError(
      `${file} is not an inventory of attributes: ${(error as Error).message}`,
      'make one with cxlrig abi --format json',
      { cause: error },
    );
  }
}

/** Boots one kernel after the other and lists what it offers. */
async function inventories(profiles: readonly Profile[], flags: InventoryFlags): Promise<AbiReport[]> {
  const interrupt = abortOnInterrupt();
  const view = liveView(process.stderr);
  const progress: Progress = (update) => view.progress(update);
  try {
    const reports: AbiReport[] = [];
    for (const profile of profiles)
      reports.push(await inventoryOf(profile, flags, progress, interrupt.signal));
    return reports;
  } finally {
    view.close();
    interrupt.release();
  }
}

async function inventoryOf(
  profile: Profile,
  flags: InventoryFlags,
  progress: Progress,
  signal: AbortSignal,
): Promise<AbiReport> {
  const { mirror } = flags;
  const machine = await loadTopology(flags.topology);
  const given = flags.documentation === undefined ? undefined : await documentationIn(flags.documentation);
  const bootable = await prepareBootable(profile, { progress, mirror, signal });
  const { kernel } = bootable;
  const documented = given ?? (await documentationOfSources(profile, kernel, { progress, mirror, signal }));
  const { accelerator } = await chooseAccelerator(flags.accel);
  const dir = await mkdtemp(join(tmpdir(), 'cxlrig-abi-'));
  try {
    progress({ task: `boot ${kernel.release} on ${machine.name}` });
    const guest = await bootGuest({ ...bootable, machine, cmdline: [], accelerator, dir }, { signal });
    const kill = (): void => void guest.stop();
    signal.addEventListener('abort', kill);
    try {
      const inventory = await takeInventory(guest, machine, (moment) =>
        progress({ task: `list the attributes of ${kernel.release}`, detail: moment }),
      );
      return report(kernel, machine.name, inventory, documented);
    } finally {
      signal.removeEventListener('abort', kill);
      await guest.stop();
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

type Documented = { readonly of: string; readonly what: Documentation } | { readonly missing: string };

/** That the sources are not to be had is told beside the inventory: it is no reason to have none. */
async function documentationOfSources(
  profile: Profile,
  { release }: ResolvedKernel,
  options: { progress: Progress; mirror: string | undefined; signal: AbortSignal },
): Promise<Documented> {
  try {
    const folders = PROMISES.map((name) => `${ABI_FOLDER}/${name}`);
    const { label, files } = await readSourceFiles(profile, release, folders, options);
    const entries = [...files].flatMap(([path, text]) =>
      parseDocumentation(text, path.slice(ABI_FOLDER.length + 1)),
    );
    return { of: label, what: documentationOf(entries) };
  } catch (error) {
    if (!(error instanceof RigError || error instanceof UsageError)) throw error;
    return { missing: error.message };
  }
}

async function documentationIn(tree: string): Promise<Documented> {
  const top = [join(tree, ABI_FOLDER), join(tree, 'ABI'), tree].find((dir) =>
    existsSync(join(dir, 'testing')),
  );
  if (top === undefined) {
    throw new UsageError(`there is no ${ABI_FOLDER} in ${tree}`, 'give the top folder of kernel sources');
  }
  const entries = [];
  for (const promise of PROMISES) {
    for (const name of await readdir(join(top, promise)).catch((): string[] => [])) {
      entries.push(
        ...parseDocumentation(await readFile(join(top, promise, name), 'utf8'), `${promise}/${name}`),
      );
    }
  }
  return { of: tree, what: documentationOf(entries) };
}

function report(
  { profile, release, id, origin }: ResolvedKernel,
  topology: string,
  { attributes, moments, notReached }: Awaited<ReturnType<typeof takeInventory>>,
  documented: Documented,
): AbiReport {
  return {
    version: ABI_VERSION,
    kernel: { profile, release, id, origin },
    topology,
    moments: [...moments],
    notReached: [...notReached],
    documentation: 'what' in documented ? { of: documented.of } : { missing: documented.missing },
    attributes: attributes.map(({ aliases, example, ...attribute }) => {
      const file =
        'what' in documented ? documented.what.fileOf([attribute.path, example.path, ...aliases]) : undefined;
      return {
        ...attribute,
        modes: [...attribute.modes],
        on: [...attribute.on],
        example,
        ...(file !== undefined && { documented: file }),
      };
    }),
  };
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
