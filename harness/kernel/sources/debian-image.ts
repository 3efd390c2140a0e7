import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from '../../base/cache/cache.js';
import {
  STABLE_SUITES,
  debianSuite,
  type DebianPackage,
  type DebianSuite,
} from '../../base/debian/debian.js';
import { RigError } from '../../base/errors.js';
import type { Progress } from '../../base/progress.js';
import { KERNEL_ENTRIES, finishEntry } from '../image/kernel-entry.js';
import type { KernelSource } from '../profile.js';
import { tool } from '../tool.js';

export interface FetchOptions {
  readonly progress: Progress;
  readonly mirror?: string | undefined;
  /** ends what is under way */
  readonly signal?: AbortSignal | undefined;
}

/** A finished kernel in the cache. */
export interface CachedKernel {
  readonly dir: string;
  readonly key: string;
}

/**
 * A kernel that Debian built, unpacked from its packages and never installed. It is kept by the names, versions and
 * hashes of the packages, so a newer version in the archive is a new entry.
 *
 * @throws RigError('download') when the package is not to be had
 */
export async function fetchDebianImage(
  profile: string,
  source: NonNullable<KernelSource['debian-image']>,
  options: FetchOptions,
): Promise<CachedKernel> {
  const suite = openSuite(source.suite, options);
  return suite.using(async () => {
    const packages = await imagePackages(suite, source.package, source.suite);
    const key = contentKey('debian-image', '1', ...packages.map(identity));
    const { dir } = await cached(KERNEL_ENTRIES, key, (draft) =>
      unpackKernel({ suite, packages, draft, profile, progress: options.progress }),
    );
    return { dir, key };
  });
}

/** The suites that everybody uses share one index; another suite gets one of its own. */
export function openSuite(name: string, { progress, mirror }: FetchOptions): DebianSuite {
  const shared: readonly string[] = STABLE_SUITES;
  return debianSuite({ suites: shared.includes(name) ? shared : [name], mirror, progress });
}

/**
 * The packages with the parts of one kernel. A metapackage leads to the image by its dependency; since 7.3 an image
 * leads to linux-binary-, linux-modules- and linux-base- packages of the same release in the same way.
 */
async function imagePackages(suite: DebianSuite, name: string, suiteName: string): Promise<DebianPackage[]> {
  const found = new Map<string, DebianPackage>();
  const visit = async (wanted: string): Promise<void> => {
    if (found.has(wanted)) return;
    const resolved = await suite.resolve(wanted, { suite: suiteName });
    found.set(wanted, resolved);
    for (const dependency of resolved.depends)
      if (KERNEL_PART.test(dependency.name)) await visit(dependency.name);
  };
  await visit(name);
  return [...found.values()]
    .filter((part) => KERNEL_PART.test(part.name))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Packages named after a release hold files; those named after a flavour only depend on them. */
const KERNEL_PART = /^linux-(image|binary|modules|base)-\d/;

function identity({ name, version, sha256 }: DebianPackage): string {
  return `${name}=${version} ${sha256}`;
}

interface Unpacking {
  readonly suite: DebianSuite;
  readonly packages: readonly DebianPackage[];
  readonly draft: string;
  readonly profile: string;
  readonly progress: Progress;
}

async function unpackKernel({ suite, packages, draft, profile, progress }: Unpacking): Promise<void> {
  const work = join(draft, 'work');
  const root = join(work, 'root');
  await mkdir(root, { recursive: true });
  const debs = await suite.download(packages, work, progress);
  const task = 'unpack the kernel';
  for (const [index, deb] of debs.entries()) {
    const detail = packages[index]?.name ?? '';
    progress({ task, detail, fraction: index / (debs.length + 1) });
    await tool({ program: 'dpkg-deb', args: ['-x', deb, root], purpose: `unpack ${detail}` });
  }
  const version = packages.find(({ name }) => name.startsWith('linux-image-'))?.version ?? '';
  progress({ task, fraction: debs.length / (debs.length + 1) });
  await collect(draft, root, version, profile);
  await rm(work, { recursive: true });
  progress({ task, fraction: 1 });
}

/** Takes the kernel's parts from where the packages have them: below boot/ (6.12) or beside the modules (7.3). */
async function collect(draft: string, root: string, version: string, profile: string): Promise<void> {
  const modules = join(root, existsSync(join(root, 'usr/lib/modules')) ? 'usr/lib/modules' : 'lib/modules');
  const [release] = existsSync(modules) ? await readdir(modules) : [];
  if (release === undefined) throw incomplete('no modules', version);
  const part = (inBoot: string, besideModules: string) => {
    const found = [join(root, 'boot', `${inBoot}-${release}`), join(modules, release, besideModules)].find(
      existsSync,
    );
    if (found === undefined) throw incomplete(`no ${besideModules}`, version);
    return found;
  };
  await copyFile(part('config', 'config'), join(draft, 'config'));
  const image = part('vmlinuz', 'vmlinuz');
  const bzImage = await readFile(image);
  await rm(image);
  await mkdir(join(draft, 'lib/modules'), { recursive: true });
  await rename(join(modules, release), join(draft, 'lib/modules', release));
  await finishEntry(draft, bzImage, {
    release,
    origin: `Debian ${release} (${version})`,
    profile,
    imageName: `vmlinuz of ${release}`,
  });
}

function incomplete(what: string, version: string): RigError {
  return new RigError(
    'kernel',
    `the Debian packages of kernel ${version} hold ${what}`,
    'name an image package in the profile: linux-image-cloud-amd64 or linux-image-amd64',
  );
}
