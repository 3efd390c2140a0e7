import { Option, type Command } from 'commander';
import { attachTerminal, prepareGdb } from '../guest/index.js';
import { loadTopology } from '../topology/index.js';
import { collect } from './argument.js';
import { withGuestFlags, withOneTools } from './guest-flags.js';
import { KERNEL_FLAGS_HELP, withKernelFlags } from './kernel-flags.js';
import { withOneGuest, type OneGuestFlags } from './one-guest.js';

interface ShellFlags extends OneGuestFlags {
  readonly append: string[];
  readonly cold?: boolean;
  readonly gdb?: boolean;
}

export function registerShell(program: Command): void {
  withGuestFlags(
    withOneTools(
      withKernelFlags(
        program
          .command('shell')
          .description('boot a topology and open a shell in the guest; the guest ends with the shell')
          .argument('[topology]', 'name below scenarios/topologies/, or a file', 'one-volatile')
          .option('-k, --kernel <profile>', 'kernel to boot (default: stock)')
          .option(
            '--append <option>',
            'add to the kernel command line; may be given several times',
            collect,
            [],
          ),
      ),
    ),
  )
    .option('--cold', 'boot the guest; do not resume it from a template')
    .option('--gdb', 'print how gdb gets at the guest, with the symbols of its kernel')
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
  cxlrig shell --gdb
  cxlrig shell --patches 0001-dax.patch
  cxlrig shell --kernel region-drivers --tools region-driver
  cxlrig shell --ndctl-tree ~/src/ndctl --with strace
  cxlrig shell one-volatile --append memhp_default_state=online_movable
  echo 'cxl list' | cxlrig shell two-ports`,
    )
    .action(async (topology: string, flags: ShellFlags) => {
      process.exitCode = await shell(topology, flags);
    });
}

async function shell(topology: string, flags: ShellFlags): Promise<number> {
  const machine = await loadTopology(topology);
  const cold = flags.cold ? 'asked for by --cold' : undefined;
  return withOneGuest(flags, { machine, cmdline: flags.append, cold }, async (guest) => {
    if (flags.gdb) process.stderr.write(`in another terminal: ${await prepareGdb(guest, guest.spec.dir)}\n`);
    return attachTerminal(guest);
  });
}
