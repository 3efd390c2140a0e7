import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../base/errors.js';
import { chooseTools, withTools, type ToolsChoice } from '../tools/index.js';
import { shareLayer, type ImageAdditions } from '../image/index.js';
import type { Profile } from '../kernel/index.js';
import { collect } from './argument.js';

/** The flags that say what is in a guest beside the kernel, of the verbs that boot one. */
export interface GuestFlags extends Omit<ToolsChoice, 'tools' | 'revision'> {
  /** Debian packages beside the recipe's */
  readonly with?: readonly string[];
  /** folders of the host that are copied into the guest */
  readonly share?: readonly string[];
}

/** Adds --ndctl-tree, --ndctl-patches and --with; --tools is each verb's own: some take several. */
export function withGuestFlags(command: Command): Command {
  return command
    .option('--ndctl-tree <dir>', 'build cxl, daxctl and ndctl from this tree, as it lies there')
    .option('--ndctl-patches <paths...>', 'apply series to the tools: folders, mailboxes or patch files')
    .option('--with <packages...>', 'Debian packages that the guest has besides: strace, fio, gdb, ...')
    .option(
      '--share <dirs...>',
      'folders of this machine of which the guest has a copy, as /share/<name> (what it makes comes back by copy-out)',
    );
}

/**
 * What they put into an image.
 * @throws UsageError when a folder can't be shared
 */
export async function additionsOf({
  with: packages,
  share = [],
}: Pick<GuestFlags, 'with' | 'share'>): Promise<ImageAdditions> {
  const names = share.map((folder) => basename(resolve(folder)));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new UsageError(`two folders would be /share/${twice}`, 'give one of them another name');
  return { packages, layers: await Promise.all(share.map(shareLayer)) };
}

/** Adds --tools, once. */
export function withOneTools(command: Command): Command {
  return command.option(
    '--tools <profile>',
    "the guest's cxl, daxctl and ndctl (default: debian, the packages)",
  );
}

/** Adds --tools, several times. */
export function withSeveralTools(command: Command): Command {
  return command.option(
    '--tools <profile>',
    "the guest's cxl, daxctl and ndctl (default: debian, the packages); may be given several times",
    collect,
    [],
  );
}

/** Each kernel with each of the tools; the tree and the patches are meant for each profile of tools. */
export async function kernelsWithTools(
  kernels: readonly Profile[],
  tools: readonly string[],
  { ndctlTree, ndctlPatches }: GuestFlags,
): Promise<readonly Profile[]> {
  const names = tools.length === 0 ? [undefined] : [...new Set(tools)];
  const chosen = await Promise.all(
    names.map((name) => chooseTools({ tools: name, ndctlTree, ndctlPatches })),
  );
  return kernels.flatMap((kernel) => chosen.map((one) => withTools(kernel, one)));
}
