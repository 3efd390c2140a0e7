import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { attachTerminal, chooseAccelerator, startGuest } from '../guest/index.js';
import { chooseProfile } from '../kernel/index.js';
import { liveView } from '../report/live.js';
import { prepareBootable } from '../run/prepare.js';
import { loadTopology } from '../topology/index.js';
import { abortOnInterrupt } from './interrupt.js';
import { collect } from './argument.js';
import { KERNEL_FLAGS_HELP, withKernelFlags, type KernelFlags } from './kernel-flags.js';

interface ShellFlags extends KernelFlags {
  readonly kernel?: string;
  readonly accel?: 'tcg' | 'kvm';
  readonly append: string[];
  readonly cold?: boolean;
}

export function registerShell(program: Command): void {
  withKernelFlags(
    program
      .command('shell')
      .description('boot a topology and open a shell in the guest; the guest ends with the shell')
      .argument('[topology]', 'name below scenarios/topologies/, or a file', 'one-volatile')
      .option('-k, --kernel <profile>', 'kernel to boot (default: stock)')
      .option('--append <option>', 'add to the kernel command line; may be given several times', collect, []),
  )
    .option('--cold', 'boot the guest; do not resume it from a template')
    .addOption(
      new Option('--accel <name>', 'accelerator instead of the one that was found to work').choices([
        'tcg',
        'kvm',
      ]),
    )
    .addHelpText(
      'after',
      `${KERNEL_FLAGS_HELP}

Examples:
  cxlrig shell
  cxlrig shell two-bridges --kernel debian-stable
  cxlrig shell --patches 0001-dax.patch
  cxlrig shell one-volatile --append memhp_default_state=online_movable
  echo 'cxl list' | cxlrig shell two-ports`,
    )
    .action(async (topology: string, flags: ShellFlags) => {
      process.exitCode = await shell(topology, flags);
    });
}

async function shell(topology: string, flags: ShellFlags): Promise<number> {
  const { kernel, kernelTree, patches, mirror } = flags;
  const machine = await loadTopology(topology);
  const interrupt = abortOnInterrupt();
  const view = liveView(process.stderr);
  const dir = await mkdtemp(join(tmpdir(), 'cxlrig-shell-'));
  try {
    const progress = view.progress.bind(view);
    const profile = await chooseProfile({ profile: kernel, kernelTree, patches });
    const bootable = await prepareBootable(profile, { progress, mirror, signal: interrupt.signal });
    const { accelerator } = await chooseAccelerator(flags.accel);
    progress({ task: `boot ${bootable.kernel.release} on ${machine.name}` });
    const guest = await startGuest(
      { ...bootable, machine, cmdline: flags.append, accelerator, dir },
      { signal: interrupt.signal, cold: flags.cold ? 'asked for by --cold' : undefined },
    );
    view.close();
    try {
      return await attachTerminal(guest);
    } finally {
      await guest.stop();
    }
  } finally {
    view.close();
    interrupt.release();
    await rm(dir, { recursive: true, force: true });
  }
}
