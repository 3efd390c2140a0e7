import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { diffInventories } from '../abi/inventory/index.js';
import { UsageError } from '../base/errors.js';
import { withBuildTools } from '../host/install.js';
import { chooseProfile, requireToolsFor, type KernelChoice, type Profile } from '../kernel/index.js';
import { abiReportSchema, type AbiReport } from '../report/abi/report.js';
import { abiDiffText, abiText } from '../report/abi/text.js';
import { liveView } from '../report/live.js';
import { inventoryOf } from './abi-inventory.js';
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
  const remedy = 'make one with cxlrig abi --format json';
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, remedy, { cause: error });
  });
  const result = abiReportSchema.safeParse(parsed(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new UsageError(
    `${file} is no inventory of attributes: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    remedy,
  );
}

/** What is no JSON is no inventory either. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

/** Boots one kernel after the other and lists what it offers. */
function inventories(profiles: readonly Profile[], flags: InventoryFlags): Promise<AbiReport[]> {
  return withBuildTools(() => takeInventories(profiles, flags));
}

async function takeInventories(profiles: readonly Profile[], flags: InventoryFlags): Promise<AbiReport[]> {
  requireToolsFor(profiles);
  const interrupt = abortOnInterrupt();
  const view = liveView(process.stderr);
  try {
    const reports: AbiReport[] = [];
    for (const profile of profiles)
      reports.push(await inventoryOf(profile, flags, (update) => view.progress(update), interrupt.signal));
    return reports;
  } finally {
    view.close();
    interrupt.release();
  }
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
