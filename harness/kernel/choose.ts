import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from '../base/errors.js';
import { absolutePath, isBuilt, loadProfile, type Profile } from './profile.js';

/** What the command line says of a kernel. */
export interface KernelChoice {
  /** a shipped profile's name, the path of a profile, or of a kernel tree */
  readonly profile?: string | undefined;
  /** build this tree; with a profile that is built from source: in that profile's configuration */
  readonly kernelTree?: string | undefined;
  /** series on top of the profile's own: folders, mailboxes, files; relative to the current folder */
  readonly patches?: readonly string[] | undefined;
}

/** The profile that is configured like stock, as far as this rig needs it, and builds in minutes. */
const SMALL_PROFILE = 'minimal';

/**
 * The profile that a command line means.
 * @throws UsageError when there is no such profile, or patches are given for a kernel that is not built here
 */
export async function chooseProfile(choice: KernelChoice): Promise<Profile> {
  const profile = await baseProfile(choice);
  const patches = (choice.patches ?? []).map((path) => absolutePath(path, process.cwd()));
  if (patches.length === 0) return profile;
  if (!isBuilt(profile))
    throw new UsageError(
      `the kernel ${profile.name} comes ready-made, so patches can't be applied to it`,
      `build one from source: --kernel ${SMALL_PROFILE} --patches ...`,
    );
  return { ...profile, patches: [...profile.patches, ...patches] };
}

async function baseProfile({ profile, kernelTree }: KernelChoice): Promise<Profile> {
  if (kernelTree === undefined) {
    if (profile === undefined) throw new UsageError('no kernel is named', 'name one: --kernel stock');
    return isKernelTree(profile) ? treeProfile(profile) : loadProfile(profile);
  }
  const tree = absolutePath(kernelTree, process.cwd());
  if (profile === undefined) return treeProfile(kernelTree);
  const named = await loadProfile(profile);
  // the default kernel is no answer to "how to configure this tree"
  if (!isBuilt(named)) return treeProfile(kernelTree);
  return { ...named, name: `${kernelTree} as ${named.name}`, source: { tree } };
}

/** A tree by itself: in its own configuration if it has one, else in our small one. */
async function treeProfile(written: string): Promise<Profile> {
  const tree = absolutePath(written, process.cwd());
  const own = existsSync(join(tree, '.config'));
  const small = await loadProfile(SMALL_PROFILE);
  return {
    name: written,
    file: tree,
    description: `the kernel tree ${tree}`,
    source: { tree },
    config: own ? { base: 'tree', fragments: [], options: [] } : small.config,
    patches: [],
    cmdline: [],
    abi: {},
  };
}

function isKernelTree(written: string): boolean {
  const dir = absolutePath(written, process.cwd());
  return written.includes('/') && existsSync(join(resolve(dir), 'Kconfig'));
}
