import { access, chmod, lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { cached, contentKey } from '../base/cache/cache.js';
import { CHROOTLESS } from '../base/debian/chrootless.js';
import { PackageGone, type DebianSuite } from '../base/debian/debian.js';
import { RigError } from '../base/errors.js';
import type { Progress } from '../base/progress.js';
import { runTool } from '../base/tool.js';
import { packLayer } from '../base/archive.js';
import { ownFilesKey, type Recipe } from './recipe.js';

/** All of an image but the kernel's modules: one serves every kernel. */
export interface Userland {
  /** changes with the recipe and with each package's version */
  readonly key: string;
  readonly layer: string;
  /** `name=version`, sorted */
  readonly packages: readonly string[];
}

/**
 * The packages of the recipe with its own files over them, packed.
 *
 * @throws PackageGone when the mirror has dropped a version of its index: to be tried again on a fresh one
 * @throws RigError('image') with mmdebstrap's last words when it fails
 */
export async function buildUserland(
  recipe: Recipe,
  suite: DebianSuite,
  progress: Progress,
): Promise<Userland> {
  const packages = await suite.closure(recipe.packages, { suite: recipe.suite });
  const key = contentKey(
    LAYOUT,
    ...packages,
    JSON.stringify([recipe.exclude, recipe.applets]),
    ownFilesKey(recipe),
  );
  const { dir } = await cached(
    'userlands',
    key,
    async (draft) => {
      const tree = join(draft, 'tree');
      await unpackPackages({ suiteName: recipe.suite, packages, suite, tree, task: TASK, progress });
      progress({ task: TASK, detail: 'packing' });
      await finishTree(recipe, tree);
      await packLayer(tree, join(draft, LAYER));
      await rm(tree, { recursive: true });
      await writeFile(join(draft, 'packages'), packages.map((name) => `${name}\n`).join(''));
    },
    { progress, keep: USERLANDS_KEPT },
  );
  return { key, layer: join(dir, LAYER), packages };
}

/** To be changed with the code below: what it makes of the same recipe is another image then. */
const LAYOUT = '2';

const LAYER = 'userland.cpio';
/** Each update of a package makes a new one. */
const USERLANDS_KEPT = 5;
const TASK = 'build the guest image';

export interface Unpacking {
  readonly suite: DebianSuite;
  readonly suiteName: string;
  /** `name=version`, as DebianSuite.closure gives them */
  readonly packages: readonly string[];
  /** the folder to be made */
  readonly tree: string;
  /** for the progress */
  readonly task: string;
  readonly progress: Progress;
}

/**
 * Unpacks packages of a suite into a folder. mmdebstrap's `extract` runs no maintainer scripts, so it needs neither root
 * rights nor user namespaces, and the mode which asks for neither (`chrootless`) can do no harm.
 *
 * @throws PackageGone when the mirror has dropped a version of its index
 */
export async function unpackPackages({
  suite,
  suiteName,
  packages,
  tree,
  task,
  progress,
}: Unpacking): Promise<void> {
  const { mirror, keyring, codename, lists } = await suite.source(suiteName);
  const scratch = `${tree}.tmp`;
  await mkdir(scratch);
  const aptOptions = join(scratch, 'acquire.conf');
  await writeFile(aptOptions, await hostAcquireOptions());
  progress({ task, detail: `${packages.length} packages of ${codename}` });
  try {
    await runTool({
      program: 'mmdebstrap',
      args: [
        ...CHROOTLESS,
        '--variant=extract',
        '--format=directory',
        '--architectures=amd64',
        `--include=${packages.join(',')}`,
        `--aptopt=${aptOptions}`,
        // the index that the versions were resolved by, instead of a second one
        '--skip=update',
        '--setup-hook=cp "$LISTS"/*_dists_* "$1/var/lib/apt/lists/"',
        codename,
        tree,
        `deb [signed-by=${keyring}] ${mirror} ${codename} main`,
      ],
      purpose: 'unpack packages',
      stage: 'image',
      env: { TMPDIR: scratch, LISTS: lists },
      onStderr: (line) => {
        const step = /^I: ((?:downloading|extracting) .*?)(\.\.\.)?$/.exec(line)?.[1];
        if (step !== undefined) progress({ task, detail: step });
      },
    });
  } catch (error) {
    throw asPackageGone(error);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** mmdebstrap's apt reads nothing of the host's configuration; what it says on fetching (proxies) has to be passed on. */
async function hostAcquireOptions(): Promise<string> {
  const dump = await runTool({
    program: 'apt-config',
    args: ['dump', '--no-empty', 'Acquire'],
    purpose: "read apt's configuration",
    stage: 'host',
  });
  return dump
    .toString()
    .split('\n')
    .filter((line) => !line.startsWith('Acquire::IndexTargets'))
    .join('\n');
}

function asPackageGone(error: unknown): unknown {
  if (!(error instanceof RigError)) return error;
  const text = error.evidence.join('\n');
  const gone = /E: Version '.*' for '.*' was not found|\b404\b|Unable to locate package/.test(text);
  return gone ? new PackageGone('download', error.message, error.remedy, error.evidence) : error;
}

/** Devices, which an ordinary user can't pack and devtmpfs brings; what apt and dpkg keep; what is copied from the host. */
const LEFTOVERS = ['dev', 'var', 'tmp', 'etc/apt', 'etc/dpkg', 'etc/resolv.conf'];

/** What makes a bootable system of unpacked packages. */
async function finishTree(recipe: Recipe, tree: string): Promise<void> {
  for (const name of LEFTOVERS) await rm(join(tree, name), { recursive: true, force: true });
  await removeExcluded(recipe, tree);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    const [old, merged] = [join(tree, name), join(tree, 'usr', name)];
    await mkdir(merged, { recursive: true });
    // base-files brings the link, where it is among the packages
    const isThere = await lstat(old).then(
      () => true,
      () => false,
    );
    if (!isThere) await symlink(`usr/${name}`, old);
  }
  for (const applet of recipe.applets) {
    const taken = await Promise.all(['usr/bin', 'usr/sbin'].map((bin) => exists(join(tree, bin, applet))));
    if (!taken.includes(true)) await symlink('busybox', join(tree, 'usr/bin', applet));
  }
  for (const { path, mode } of recipe.folders) {
    await mkdir(join(tree, path), { recursive: true });
    await chmod(join(tree, path), mode);
  }
  for (const { path, mode, content } of recipe.files) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
    await chmod(join(tree, path), mode);
  }
}

/** (As mmdebstrap's path-exclude, which starts an interpreter for each package.) */
async function removeExcluded({ exclude }: Recipe, tree: string): Promise<void> {
  const isExcluded = exclusion(exclude);
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of entries) {
    const path = join(parentPath, name);
    if (isExcluded(`/${relative(tree, path)}`)) await rm(path, { recursive: true, force: true });
  }
}

/** Matches whole paths; `*` stands for any text, slashes included, and `?` for one character. */
export function exclusion(patterns: readonly string[]): (path: string) => boolean {
  const sources = patterns.map((pattern) =>
    pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.'),
  );
  const matcher = new RegExp(`^(?:${sources.join('|')})$`);
  return (path) => matcher.test(path);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
