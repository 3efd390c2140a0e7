import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import pRetry from 'p-retry';
import { contentKey } from './cache.js';
import { debianKeyring, debianMirror } from './debian-mirror.js';
import { newestOf, stanzasNamed, type DebianPackage } from './debian-packages.js';
import { RigError, UsageError } from './errors.js';
import { cacheRoot } from './places.js';
import { silent, type Progress } from './progress.js';

export type { Dependency, DebianPackage } from './debian-packages.js';

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

/** The index names a version that the mirror does not have any more. */
export class PackageGone extends RigError {}

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
  const root = () => (opened ??= openRoot(options, suites));
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
      const codename = byCodename(suite, await readCodenames(apt));
      return { mirror: apt.mirror, keyring: apt.keyring, codename, lists: join(apt.dir, 'state/lists') };
    },
  };
}

/** A folder with all that apt otherwise keeps in /etc/apt and /var. */
interface AptRoot {
  readonly dir: string;
  readonly config: string;
  readonly mirror: string;
  readonly keyring: string;
  readonly suites: readonly string[];
  readonly maxAgeMs: number;
}

const SIX_HOURS_MS = 6 * 60 * 60_000;
/** After a refresh failed, how long the stale index serves before the next try: away from the network a try takes long. */
const FAILED_REFRESH_PAUSE_MS = 10 * 60_000;

async function openRoot(options: DebianSuiteOptions, suites: readonly string[]): Promise<AptRoot> {
  const base = options.root ?? join(cacheRoot(), 'apt');
  if (/["\n]/.test(base))
    throw new UsageError(`apt can't use a folder with a quotation mark or line end in its name: ${base}`);
  const keyring = options.keyring ?? debianKeyring();
  await mkdir(base, { recursive: true });
  const mirror = await debianMirror(base, options.mirror);
  const dir = join(base, contentKey(mirror, keyring, ...suites));
  const apt: AptRoot = {
    dir,
    config: join(dir, 'apt.conf'),
    mirror,
    keyring,
    suites,
    maxAgeMs: options.maxAgeMs ?? SIX_HOURS_MS,
  };
  for (const part of ['state/lists/partial', 'cache/archives/partial'])
    await mkdir(join(dir, part), { recursive: true });
  await writeWhole(join(dir, 'state/status'), '');
  await writeWhole(apt.config, aptConfig(dir));
  return apt;
}

/** @param targets what to fetch beside the signed Release files: `Packages`, or a name that no target has for nothing */
function sourcesList({ mirror, keyring }: AptRoot, suites: readonly string[], targets: string): string {
  return [
    'Types: deb',
    `URIs: ${mirror}`,
    `Suites: ${suites.join(' ')}`,
    'Components: main',
    `Targets: ${targets}`,
    `Signed-By: ${keyring}`,
    '',
  ].join('\n');
}

/**
 * Read after the host's own configuration (`apt-get -c`), of which proxies and the like stay in force. Hooks of the
 * host must not run: they clean or feed things that are not ours.
 */
function aptConfig(dir: string): string {
  return `\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
#clear APT::Default-Release;
Dir::Etc::sourcelist "${dir}/debian.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "${dir}/state";
Dir::State::status "${dir}/state/status";
Dir::State::extended_states "${dir}/state/extended_states";
Dir::Cache "${dir}/cache";
Dir::Cache::archives "archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Install-Suggests "false";
// without root rights there is no _apt user to become, and with them the folder is not that user's
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
// the aliases change what they mean when Debian releases
Acquire::AllowReleaseInfoChange "true";
Acquire::Languages "none";
Acquire::GzipIndexes "false";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Acquire::Retries "2";
`;
}

async function refreshIfOld(apt: AptRoot, progress: Progress): Promise<void> {
  const now = Date.now();
  const refreshed = await modifiedAt(join(apt.dir, 'refreshed'));
  if (refreshed !== undefined && now - refreshed < apt.maxAgeMs) return;
  const failed = await modifiedAt(join(apt.dir, 'refresh-failed'));
  if (refreshed !== undefined && failed !== undefined && now - failed < FAILED_REFRESH_PAUSE_MS) return;
  try {
    await refresh(apt, progress, now);
  } catch (error) {
    if (refreshed === undefined || !(error instanceof RigError) || error.stage !== 'download') throw error;
    await writeWhole(join(apt.dir, 'refresh-failed'), '');
    progress({
      task: 'Debian package index',
      detail: `could not be refreshed; the one of ${new Date(refreshed).toISOString()} is used`,
    });
  }
}

/** Fetches the index unless another process did so after `since`. */
async function refresh(apt: AptRoot, progress: Progress, since: number): Promise<void> {
  const unlock = await lockfile.lock(apt.dir, {
    stale: 60_000,
    retries: { retries: 600, minTimeout: 500, maxTimeout: 500, factor: 1 },
  });
  try {
    const stamp = join(apt.dir, 'refreshed');
    if (((await modifiedAt(stamp)) ?? 0) > since) return;
    const task = 'fetch the Debian package index';
    progress({ task });
    const codenames = await fetchCodenames(apt);
    const suites = apt.suites.map((suite) => byCodename(suite, codenames));
    await writeWhole(join(apt.dir, 'debian.sources'), sourcesList(apt, suites, 'Packages'));
    await runApt(apt, ['update', '--error-on=any'], (fraction) => progress({ task, fraction }));
    await writeWhole(join(apt.dir, 'codenames.json'), JSON.stringify(codenames));
    await writeWhole(stamp, '');
  } finally {
    await unlock();
  }
}

/** `stable-backports` is the alias `stable` and the rest. */
const ALIASED = /^(stable|oldstable|testing)(-.*)?$/;

/** What an alias stands for today, as `{"stable": "trixie"}`. */
type Codenames = Readonly<Record<string, string>>;

function byCodename(suite: string, codenames: Codenames): string {
  const [, alias = '', rest = ''] = ALIASED.exec(suite) ?? [];
  const codename = codenames[alias];
  return codename === undefined ? suite : codename + rest;
}

/**
 * Asks the archive what the aliases stand for, by their signed Release files. The packages are then fetched by
 * codename: caching mirrors often hold an aliased suite in an older state, because hardly anybody asks for it.
 */
async function fetchCodenames(apt: AptRoot): Promise<Codenames> {
  const aliases = new Set(
    apt.suites.map((suite) => ALIASED.exec(suite)?.[1]).filter((name) => name !== undefined),
  );
  if (aliases.size === 0) return {};
  const lists = join(apt.dir, 'state/alias-lists');
  const sources = join(apt.dir, 'alias.sources');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await writeWhole(sources, sourcesList(apt, [...aliases], 'none'));
  await runApt(apt, [
    'update',
    '--error-on=any',
    '-o',
    `Dir::State::lists=${lists}`,
    '-o',
    `Dir::Etc::sourcelist=${sources}`,
  ]);
  const codenames: Record<string, string> = {};
  for (const file of await readdir(lists)) {
    const alias = /_dists_([a-z]+)_(?:In)?Release$/.exec(file)?.[1];
    if (alias === undefined) continue;
    const codename = /^Codename: ([a-z]+)$/m.exec(await readFile(join(lists, file), 'utf8'))?.[1];
    if (codename !== undefined) codenames[alias] = codename;
  }
  return codenames;
}

async function readCodenames(apt: AptRoot): Promise<Codenames> {
  return JSON.parse(await readFile(join(apt.dir, 'codenames.json'), 'utf8')) as Codenames;
}

async function findPackages(
  apt: AptRoot,
  pattern: string,
  suite: string | undefined,
): Promise<[DebianPackage, ...DebianPackage[]]> {
  const wanted = suite === undefined ? undefined : byCodename(suite, await readCodenames(apt));
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

/** The suites and their Packages files in the private root. */
async function indexFiles(apt: AptRoot): Promise<readonly (readonly [string, string])[]> {
  const { stdout } = await runApt(apt, [
    'indextargets',
    '--format',
    '$(RELEASE) $(FILENAME)',
    'Created-By: Packages',
  ]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(0, space), line.slice(space + 1)] as const;
    });
}

async function installList(
  apt: AptRoot,
  names: readonly string[],
  suite: string | undefined,
): Promise<readonly string[]> {
  const release = suite === undefined ? undefined : byCodename(suite, await readCodenames(apt));
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

/** Runs apt-get in the private root; `tell` hears the fraction fetched. */
async function runApt(
  apt: AptRoot,
  args: readonly string[],
  tell?: (fraction: number) => void,
  cwd = apt.dir,
): Promise<{ stdout: string }> {
  const child = execa('apt-get', ['-q', '-y', '-c', apt.config, '-o', 'APT::Status-Fd=3', ...args], {
    cwd,
    env: { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    maxBuffer: 64 * 2 ** 20,
    reject: false,
  });
  if (tell) await reportFetched(child.iterable({ from: 'fd3' }), tell);
  const { failed, code, stdout, stderr, isTerminated } = await child;
  if (!failed) return { stdout };
  throw aptFailure(args[0] ?? '', { code, stdout, stderr, isTerminated }, apt);
}

/** apt writes `dlstatus:<item>:<percent>:<text>` to its status file descriptor while it fetches. */
async function reportFetched(lines: AsyncIterable<string>, tell: (fraction: number) => void): Promise<void> {
  for await (const line of lines) {
    const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
    if (percent !== undefined) tell(Math.min(1, Number(percent) / 100));
  }
}

function aptFailure(
  verb: string,
  outcome: { code?: string | undefined; stdout: string; stderr: string; isTerminated: boolean },
  { mirror }: AptRoot,
): RigError {
  if (outcome.code === 'ENOENT') {
    return new RigError(
      'host',
      "apt-get is missing: cxlrig fetches Debian's packages for the guest with apt, also on other distributions",
      'install the package apt (Debian, Fedora, Arch and openSUSE have it) and debian-archive-keyring',
    );
  }
  const evidence = `${outcome.stdout}\n${outcome.stderr}`
    .split('\n')
    .filter((line) => /^(E|W|Err)[: ]/.test(line))
    .slice(-10);
  const text = evidence.join('\n');
  if (/NO_PUBKEY|is not signed|EXPKEYSIG/.test(text)) {
    return new RigError(
      'download',
      `the Debian archive ${mirror} is signed with keys that this host does not trust`,
      'bring the package debian-archive-keyring up to date',
      evidence,
    );
  }
  if (/No space left on device/.test(text))
    return new RigError('host', 'the disk of the cache is full', 'free space or set CXLRIG_CACHE', evidence);
  const what = verb === 'update' ? 'the package index' : 'packages';
  if (
    verb === 'download' &&
    /\b404\b|File not found|Hash Sum mismatch|unexpected size|was not found/.test(text)
  )
    return new PackageGone('download', `${mirror} does not have packages of its index`, undefined, evidence);
  return new RigError(
    'download',
    `apt could not get ${what} from ${mirror}${outcome.isTerminated ? ': it was ended by a signal' : ''}`,
    'check the network, or choose another mirror by CXLRIG_MIRROR',
    evidence,
  );
}

/** Answers already given on this index, so that a run whose kernel and image are built needs no apt at all. */
async function remembered<T>(apt: AptRoot, question: string, ask: () => Promise<T>): Promise<T> {
  const file = join(apt.dir, 'answers.json');
  const index = await modifiedAt(join(apt.dir, 'refreshed'));
  const known = await readAnswers(file, index);
  if (question in known) return known[question] as T;
  const answer = await ask();
  const current = await readAnswers(file, index);
  await writeWhole(file, JSON.stringify({ index, answers: { ...current, [question]: answer } }));
  return answer;
}

async function readAnswers(file: string, index: number | undefined): Promise<Record<string, unknown>> {
  try {
    const saved = JSON.parse(await readFile(file, 'utf8')) as {
      index?: number;
      answers?: Record<string, unknown>;
    };
    return saved.index === index ? (saved.answers ?? {}) : {};
  } catch {
    return {};
  }
}

/** Other processes read these files at any moment. */
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text);
  await rename(draft, file);
}

async function modifiedAt(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
