import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pRetry from 'p-retry';
import { openRoot, PackageGone, runApt, type AptRoot } from './apt-root.js';
import { codenameOf, indexFiles, refresh, refreshIfOld, remembered } from './debian-index.js';
import { newestOf, stanzasNamed, type DebianPackage } from './debian-packages.js';
import { RigError, UsageError } from '../errors.js';
import { silent, type Progress } from '../progress.js';

export { PackageGone } from './apt-root.js';
export type { DebianPackage } from './debian-packages.js';

/** Debian's current stable under the alias that moves with each release, so that no codename grows old in here. */
export const STABLE_SUITES = ['stable', 'stable-updates', 'stable-backports'] as const;

export interface DebianSuiteOptions {
  /** suites by alias or codename; default STABLE_SUITES, so that all rooms share one index */
  readonly suites?: readonly string[];
  /** address of the archive; default: see debianMirror() */
  readonly mirror?: string | undefined;
  /** hears about index refreshes, and about a stale index that must do because the network is away */
  readonly progress?: Progress;
  /** where the private apt root is kept; default: `apt` in the cache */
  readonly root?: string;
  /** how old an index may be before a refresh is tried; default 6 hours */
  readonly maxAgeMs?: number;
  /** keys to trust; default: the host's keys of the Debian archive */
  readonly keyring?: string;
}

/** Packages of a Debian archive, looked up and fetched by the host's apt in a root of its own. */
export interface DebianSuite {
  /**
   * The newest package whose name matches; `*` stands for any text.
   * @param suite one of the suites; all of them if not given
   * @throws RigError('download') when nothing matches
   */
  resolve(pattern: string, options?: { readonly suite?: string }): Promise<DebianPackage>;
  /** All packages, with versions (`name=version`, sorted), that installing these into nothing would bring. */
  closure(names: readonly string[], options?: { readonly suite?: string }): Promise<readonly string[]>;
  /**
   * Fetches packages into an existing folder. apt checks each against the signed index.
   * @returns absolute paths, in the order of the packages
   * @throws PackageGone when a version has left the mirror meanwhile: see `using`
   */
  download(packages: readonly DebianPackage[], dir: string, progress?: Progress): Promise<readonly string[]>;
  /**
   * Does a job that resolves and downloads, and does it once more on a fresh index when it ends in PackageGone:
   * mirrors drop a version as soon as the next is there.
   */
  using<T>(job: () => Promise<T>): Promise<T>;
  /** Where a suite's packages come from, for tools that fetch by themselves. */
  source(suite: string): Promise<PackageSource>;
}

export interface PackageSource {
  readonly mirror: string;
  /** file of the keys that sign it */
  readonly keyring: string;
  readonly codename: string;
  /** folder of apt's lists, as `Dir::State::lists`: of this suite and others */
  readonly lists: string;
}

/**
 * Opens suites of a Debian archive. Needs no root rights and leaves the host's apt alone, but obeys its
 * configuration (proxies, credentials). The index is fetched on first use, when it is older than `maxAgeMs`, and
 * a stale one serves when the network is away; answers are remembered, so asking again costs no process.
 *
 * @throws RigError('host') at first use when apt or the archive's keys are missing
 */
export function debianSuite(options: DebianSuiteOptions = {}): DebianSuite {
  const suites = options.suites ?? STABLE_SUITES;
  const progress = options.progress ?? silent;
  let opened: Promise<AptRoot> | undefined;
  const root = () => (opened ??= openRoot({ ...options, suites }));
  const checkSuite = (suite: string | undefined) => {
    if (suite !== undefined && !suites.includes(suite))
      throw new UsageError(`suite '${suite}' is not among those opened: ${suites.join(', ')}`);
  };

  return {
    async resolve(pattern, { suite } = {}) {
      checkSuite(suite);
      const apt = await root();
      await refreshIfOld(apt, progress);
      return remembered(apt, `${suite ?? ''} ${pattern}`, async () => {
        return newestOf(await findPackages(apt, pattern, suite));
      });
    },

    async closure(names, { suite } = {}) {
      checkSuite(suite);
      const apt = await root();
      await refreshIfOld(apt, progress);
      return remembered(apt, `closure ${suite ?? ''} ${names.join(' ')}`, () =>
        installList(apt, names, suite),
      );
    },

    async download(packages, dir, downloadProgress = progress) {
      const apt = await root();
      await pRetry(() => fetchPackages(apt, packages, dir, downloadProgress), {
        retries: 2,
        minTimeout: 2000,
        shouldRetry: ({ error }) => !(error instanceof PackageGone),
      });
      return packages.map((wanted) => join(dir, debName(wanted)));
    },

    using(job) {
      return pRetry(job, {
        retries: 1,
        minTimeout: 0,
        shouldRetry: ({ error }) => error instanceof PackageGone,
        onFailedAttempt: async ({ retriesLeft }) => {
          if (retriesLeft > 0) await refresh(await root(), progress, Date.now());
        },
      });
    },

    async source(suite) {
      checkSuite(suite);
      const apt = await root();
      await refreshIfOld(apt, progress);
      const codename = await codenameOf(apt, suite);
      return { mirror: apt.mirror, keyring: apt.keyring, codename, lists: join(apt.dir, 'state/lists') };
    },
  };
}

async function findPackages(
  apt: AptRoot,
  pattern: string,
  suite: string | undefined,
): Promise<[DebianPackage, ...DebianPackage[]]> {
  const wanted = suite === undefined ? undefined : await codenameOf(apt, suite);
  const found: DebianPackage[] = [];
  for (const [release, file] of await indexFiles(apt)) {
    if (wanted !== undefined && wanted !== release) continue;
    found.push(...stanzasNamed(pattern, await readFile(file, 'utf8'), release));
  }
  const [first, ...rest] = found;
  if (first === undefined) {
    throw new RigError(
      'download',
      `no package '${pattern}' in ${suite ?? apt.suites.join(', ')} of the Debian archive ${apt.mirror}`,
      'check the name and the suite, or choose another mirror by CXLRIG_MIRROR',
    );
  }
  return [first, ...rest];
}

async function installList(
  apt: AptRoot,
  names: readonly string[],
  suite: string | undefined,
): Promise<readonly string[]> {
  const release = suite === undefined ? undefined : await codenameOf(apt, suite);
  const { stdout } = await runApt(apt, [
    'install',
    '--simulate',
    ...(release === undefined ? [] : ['--target-release', release]),
    ...names,
  ]);
  return [...stdout.matchAll(/^Inst (\S+) \((\S+)/gm)]
    .map(([, name, version]) => `${name ?? ''}=${version ?? ''}`)
    .sort();
}

async function fetchPackages(
  apt: AptRoot,
  packages: readonly DebianPackage[],
  dir: string,
  progress: Progress,
): Promise<void> {
  const total = packages.reduce((sum, { size }) => sum + size, 0);
  const task = `fetch ${packages.length === 1 ? (packages[0]?.name ?? '') : `${packages.length} packages`}`;
  const tell = (fraction: number) =>
    progress({ task, fraction, detail: `${megabytes(total * fraction)} of ${megabytes(total)} MB` });
  tell(0);
  await runApt(apt, ['download', ...packages.map(({ name, version }) => `${name}=${version}`)], tell, dir);
  tell(1);
}

/** The file name that `apt-get download` gives: an epoch's colon is escaped. */
function debName({ name, version, architecture }: DebianPackage): string {
  return `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
