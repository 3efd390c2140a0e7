import type { Command } from 'commander';

/** The flags that say which kernel, of the verbs that boot one. */
export interface KernelFlags {
  readonly kernelTree?: string;
  readonly patches?: readonly string[];
  readonly mirror?: string;
}

/** Adds --kernel-tree, --patches and --mirror. */
export function withKernelFlags(command: Command): Command {
  return command
    .option(
      '--kernel-tree <dir>',
      "build this tree: in its own .config, or in a source profile's if one is named",
    )
    .option('--patches <paths...>', 'apply series: folders, mailboxes or patch files, in this order')
    .option('--mirror <url>', 'Debian mirror to fetch kernels and packages from');
}

/** What --help says about them. */
export const KERNEL_FLAGS_HELP = `
Patches go on every kernel that is named, in order and as strictly as git am applies them; without --kernel on
minimal. Nothing is ever written into a kernel tree.`;
