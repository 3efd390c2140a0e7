import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../base/errors.js';
import { absolutePath } from '../base/document/written-path.js';
import { isBuilt, loadProfile, type Profile } from './profile.js';

/** What the command line says of a kernel. */
export interface KernelChoice {
  /** a shipped profile's name, the path of a profile, or of a kernel tree */
  readonly profile?: string | undefined;
  /** build this tree; with a profile that is built from source: in that profile's configuration */
  readonly kernelTree?: string | undefined;
  /** this commit of the tree's repository instead of the files that lie there */
  readonly revision?: string | undefined;
  /** series on top of the profile's own: folders, mailboxes, files; relative to the current folder */
  readonly patches?: readonly string[] | undefined;
}

/** What the command line says of all kernels of a run. */
export interface KernelChoices extends Omit<KernelChoice, 'profile'> {
  /** empty: the one that fits the rest */
  readonly profiles: readonly string[];
}

/** The kernel of whoever names none: nothing is compiled for it. */
const DEFAULT_PROFILE = 'stock';

/** The profile that is configured like stock, as far as this rig needs it, and builds in minutes. */
const SMALL_PROFILE = 'minimal';

/**
 * The profile that a command line means. A tree alone decides how it is configured; patches alone go on `minimal`,
 * for the stock kernel is not built here. A patched kernel's name is the profile's and the patches':
 * `minimal+0001-foo.patch`.
 *
 * @throws UsageError when there is no such profile, or patches or a tree are given for a kernel that is not built here
 */
export async function chooseProfile(choice: KernelChoice): Promise<Profile> {
  const profile = await baseProfile(choice);
  const written = choice.patches ?? [];
  if (written.length === 0) return profile;
  if (!isBuilt(profile))
    throw new UsageError(
      `the kernel ${profile.name} comes ready-made, so patches can't be applied to it`,
      `build one from source: --kernel ${SMALL_PROFILE} --patches ...`,
    );
  return {
    ...profile,
    name: `${profile.name}+${seriesLabel(written)}`,
    patches: [...profile.patches, ...written.map((path) => absolutePath(path, process.cwd()))],
  };
}

/**
 * The kernels of a run: the tree and the patches are meant for each of the profiles.
 * @throws UsageError as chooseProfile does
 */
export async function chooseProfiles({ profiles, ...rest }: KernelChoices): Promise<readonly Profile[]> {
  if (profiles.length === 0) return [await chooseProfile(rest)];
  return Promise.all([...new Set(profiles)].map((profile) => chooseProfile({ ...rest, profile })));
}

async function baseProfile({ profile, kernelTree, revision, patches }: KernelChoice): Promise<Profile> {
  if (kernelTree === undefined) {
    const named = profile ?? ((patches ?? []).length > 0 ? SMALL_PROFILE : DEFAULT_PROFILE);
    return isKernelTree(named) ? treeProfile(named) : loadProfile(named);
  }
  if (profile === undefined) return treeProfile(kernelTree, revision);
  const named = await loadProfile(profile);
  if (!isBuilt(named))
    throw new UsageError(
      `the kernel ${named.name} comes ready-made, so it says nothing of how to build ${kernelTree}`,
      `name a profile that is built from source (--kernel ${SMALL_PROFILE} --kernel-tree ${kernelTree}), or both kernels: --kernel ${named.name} --kernel ${asPath(kernelTree)}`,
    );
  const { source, label } = treeSource(kernelTree, revision);
  return { ...named, name: `${label} as ${named.name}`, source };
}

/** A tree by itself: in its own configuration if it has one, else in our small one. */
async function treeProfile(written: string, revision?: string): Promise<Profile> {
  const tree = absolutePath(written, process.cwd());
  const own = revision === undefined && existsSync(join(tree, '.config'));
  const small = await loadProfile(SMALL_PROFILE);
  const { source, label } = treeSource(written, revision);
  return {
    name: label,
    file: tree,
    description: `the kernel tree ${tree}`,
    source,
    config: own ? { base: 'tree', fragments: [], options: [] } : small.config,
    patches: [],
    cmdline: [],
    abi: {},
  };
}

function treeSource(
  written: string,
  revision: string | undefined,
): Pick<Profile, 'source'> & { label: string } {
  const tree = absolutePath(written, process.cwd());
  if (revision === undefined) return { source: { tree }, label: written };
  return { source: { git: { repository: tree, revision } }, label: `${written} ${revision.slice(0, 12)}` };
}

/** `0001-foo.patch`; of several: `0001-foo.patch..0003-bar.patch`. */
function seriesLabel(written: readonly string[]): string {
  const names = written.map((path) => basename(resolve(path)));
  return [...new Set([names[0], names.at(-1)])].join('..');
}

function isKernelTree(written: string): boolean {
  const dir = absolutePath(written, process.cwd());
  return written.includes('/') && existsSync(join(resolve(dir), 'Kconfig'));
}

/** A tree's folder as --kernel takes it: with a slash, for a bare word is a profile's name. */
function asPath(tree: string): string {
  return tree.includes('/') ? tree : `./${tree}`;
}
