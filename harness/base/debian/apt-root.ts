import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheFailure, contentKey } from '../cache/cache.js';
import { debianKeyring, debianMirror } from './debian-mirror.js';
import { RigError, UsageError } from '../errors.js';
import { cacheRoot } from '../places.js';

/** A folder with all that apt otherwise keeps in /etc/apt and /var. */
export interface AptRoot {
  readonly dir: string;
  readonly config: string;
  readonly mirror: string;
  readonly keyring: string;
  readonly suites: readonly string[];
  readonly kind: PackageKind;
  readonly maxAgeMs: number;
}

/** What an index is of: `binary` packages, or those that they are built from. */
export type PackageKind = 'binary' | 'source';

export interface AptRootOptions {
  readonly suites: readonly string[];
  readonly mirror?: string | undefined;
  readonly keyring?: string | undefined;
  readonly root?: string | undefined;
  readonly maxAgeMs?: number | undefined;
  /** default: binary */
  readonly kind?: PackageKind | undefined;
}

/** The index names a version that the mirror does not have any more. */
export class PackageGone extends RigError {}

/**
 * Makes or finds the root of an archive's suites.
 * @throws RigError('host') when apt or the archive's keys are missing
 */
export async function openRoot(options: AptRootOptions): Promise<AptRoot> {
  const base = options.root ?? join(cacheRoot(), 'apt');
  try {
    return await makeRoot(base, options);
  } catch (error) {
    throw cacheFailure(error, base);
  }
}

async function makeRoot(base: string, options: AptRootOptions): Promise<AptRoot> {
  if (/["\n]/.test(base))
    throw new UsageError(`apt can't use a folder with a quotation mark or line end in its name: ${base}`);
  const keyring = options.keyring ?? debianKeyring();
  await mkdir(base, { recursive: true });
  const mirror = await debianMirror(base, options.mirror);
  const kind = options.kind ?? 'binary';
  const dir = join(
    base,
    contentKey(mirror, keyring, ...options.suites, ...(kind === 'source' ? ['source'] : [])),
  );
  const apt: AptRoot = {
    dir,
    config: join(dir, 'apt.conf'),
    mirror,
    keyring,
    suites: options.suites,
    kind,
    maxAgeMs: options.maxAgeMs ?? SIX_HOURS_MS,
  };
  for (const part of ['state/lists/partial', 'cache/archives/partial'])
    await mkdir(join(dir, part), { recursive: true });
  await writeWhole(join(dir, 'state/status'), '');
  await writeWhole(apt.config, aptConfig(dir));
  return apt;
}

/** apt's name of the index that a root is for. */
export const INDEX_TARGET: Readonly<Record<PackageKind, string>> = { binary: 'Packages', source: 'Sources' };

/** @param targets what to fetch beside the signed Release files: an INDEX_TARGET, or a name that no target has for nothing */
export function sourcesList(
  { mirror, keyring, kind }: AptRoot,
  suites: readonly string[],
  targets: string,
): string {
  return [
    `Types: ${kind === 'source' ? 'deb-src' : 'deb'}`,
    `URIs: ${mirror}`,
    `Suites: ${suites.join(' ')}`,
    'Components: main',
    `Targets: ${targets}`,
    `Signed-By: ${keyring}`,
    '',
  ].join('\n');
}

/** Runs apt-get in the private root; `tell` hears the fraction fetched. */
export async function runApt(
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
  let stuck: RigError | undefined;
  await followFetching(child.iterable({ from: 'fd3' }), apt, tell, (why) => {
    stuck = why;
    child.kill('SIGKILL');
  });
  const { failed, code, stdout, stderr, isTerminated } = await child;
  if (stuck) throw stuck;
  if (!failed) return { stdout };
  throw aptFailure(args[0] ?? '', { code, stdout, stderr, isTerminated }, apt);
}

/** apt gives up a silent server by itself, after Acquire::http::Timeout and its retries. */
const STUCK_MS = 3 * 60_000;
const MAYBE_STUCK_MS = 5_000;
const NO_ROOM = 2 ** 20;

/**
 * apt writes `dlstatus:<item>:<percent>:<text>` to its status file descriptor while it fetches, twice a second. On a
 * full disk it goes on doing so for ever and fetches nothing.
 * @param giveUp hears why it is to be ended
 */
async function followFetching(
  lines: AsyncIterable<string>,
  { dir, mirror }: AptRoot,
  tell: ((fraction: number) => void) | undefined,
  giveUp: (why: RigError) => void,
): Promise<void> {
  let last = { percent: '', at: performance.now() };
  for await (const line of lines) {
    const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
    if (percent === undefined) continue;
    tell?.(Math.min(1, Number(percent) / 100));
    if (percent !== last.percent) last = { percent, at: performance.now() };
    const idle = performance.now() - last.at;
    if (idle > MAYBE_STUCK_MS && (await bytesFree(dir)) < NO_ROOM)
      giveUp(new RigError('host', 'the disk of the cache is full', 'free space or set CXLRIG_CACHE'));
    else if (idle > STUCK_MS)
      giveUp(
        new RigError(
          'download',
          `nothing has come from ${mirror} for minutes`,
          'check the network, or choose another mirror by CXLRIG_MIRROR',
        ),
      );
  }
}

async function bytesFree(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}

/** Other processes read these files at any moment. What is so already is left alone: the cache may be read-only. */
export async function writeWhole(file: string, text: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return;
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text);
  await rename(draft, file);
}

/** Milliseconds since 1970; undefined when there is no such file. */
export async function modifiedAt(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

const SIX_HOURS_MS = 6 * 60 * 60_000;

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
