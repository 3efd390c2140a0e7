import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHROOTLESS } from './chrootless.js';
import { RigError, UsageError } from '../errors.js';

/**
 * The address of a Debian archive for this machine: the one asked for, else `$CXLRIG_MIRROR`, else the one that
 * the machine's own apt uses for Debian, else mmdebstrap's default. Never a name of ours: an archive that is near,
 * allowed and cached is for whoever set up the machine to choose.
 *
 * @param dir an existing folder of the cache, where the answer is remembered until the machine's sources change
 * @throws UsageError when the address asked for is not one that apt takes
 */
export async function debianMirror(
  dir: string,
  asked: string | undefined = process.env['CXLRIG_MIRROR'],
): Promise<string> {
  if (asked !== undefined && asked !== '') return checkedMirror(asked);
  const memo = join(dir, 'mirror');
  const known = await readFile(memo, 'utf8').catch(() => undefined);
  // asking apt costs up to a second
  if (known !== undefined && (await modifiedAt(memo)) > (await sourcesModifiedAt())) return known;
  const mirror = (await mirrorOfApt()) ?? (await mirrorOfMmdebstrap(dir));
  const draft = `${memo}.${randomUUID()}`;
  await writeFile(draft, mirror);
  await rename(draft, memo);
  return mirror;
}

/** The file with the keys that sign Debian's archive. @throws RigError when the host has none */
export function debianKeyring(): string {
  const found = KEYRINGS.find((path) => existsSync(path));
  if (found === undefined) {
    throw new RigError(
      'host',
      "Debian's packages can't be verified: the host has no keys of the Debian archive",
      'install the package debian-archive-keyring',
    );
  }
  return found;
}

/** Finds Debian's own archive in what `apt-get indextargets` prints by FORMAT: not backports of others, not Ubuntu. */
export function mirrorInIndexTargets(targets: string): string | undefined {
  const archives = targets
    .split('\n')
    .map((line) => line.split('|'))
    .filter(([origin, label]) => origin === 'Debian' && label === 'Debian')
    .map(([, , uri]) => uri);
  return archives.find(isFetchable);
}

/**
 * Finds Debian's own archive in what `apt-get indextargets --no-release-info` prints by SOURCES_FORMAT: apt's sources as
 * they are written, for apt that has fetched nothing of them yet. The suite tells: the system's own, or an alias that
 * only Debian's archive has; where somebody else uses that name too, Debian's is the one with updates beside it.
 * @param codename of the Debian release that this machine runs
 */
export function mirrorInSources(targets: string, codename: string | undefined): string | undefined {
  const sources = targets.split('\n').map((line) => {
    const [component, suite, uri] = line.split('|');
    return { component, suite, uri };
  });
  const suites = new Set(['stable', 'oldstable', 'testing', 'unstable', 'sid', codename]);
  const own = sources.filter(
    ({ component, suite, uri }) =>
      component === 'main' && suite !== undefined && suites.has(suite) && isFetchable(uri),
  );
  const withUpdates = own.find(({ suite = '', uri }) =>
    sources.some((other) => other.suite === `${suite}-updates` && other.uri === uri),
  );
  return (withUpdates ?? own[0])?.uri;
}

function isFetchable(uri: string | undefined): boolean {
  return uri !== undefined && /^(https?|file|copy|mirror\S*):/.test(uri);
}

const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

const INDEX_TARGETS_FORMAT = '$(ORIGIN)|$(LABEL)|$(REPO_URI)';
const SOURCES_FORMAT = '$(COMPONENT)|$(RELEASE)|$(REPO_URI)';

/** Spaces and brackets would be options in a sources list. */
const MIRROR = /^(https?|file|copy|mirror[+a-z]*):\/?[^\s[\]"']+$/;

function checkedMirror(mirror: string): string {
  if (MIRROR.test(mirror)) return mirror;
  throw new UsageError(
    `'${mirror}' is not the address of a Debian mirror`,
    'give what apt takes, like http://HOST/debian, or leave it out to use the one of this machine',
  );
}

/** When the machine's apt sources were changed last; 0 when it has none. */
async function sourcesModifiedAt(): Promise<number> {
  const parts = '/etc/apt/sources.list.d';
  const files = await readdir(parts).catch(() => []);
  const paths = ['/etc/apt/sources.list', parts, ...files.map((file) => join(parts, file))];
  return Math.max(...(await Promise.all(paths.map(modifiedAt))));
}

async function modifiedAt(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

/** By whose archives apt has fetched; where it has fetched nothing yet, as in a new container, by what is written. */
async function mirrorOfApt(): Promise<string | undefined> {
  const fetched = mirrorInIndexTargets(await indexTargets('--format', INDEX_TARGETS_FORMAT));
  return (
    fetched ??
    mirrorInSources(
      await indexTargets('--no-release-info', '--format', SOURCES_FORMAT),
      await debianCodename(),
    )
  );
}

/** Empty where there is no apt. */
async function indexTargets(...options: readonly string[]): Promise<string> {
  const { stdout, failed } = await execa('apt-get', ['indextargets', ...options, 'Created-By: Packages'], {
    reject: false,
    env: { LC_ALL: 'C' },
    stdin: 'ignore',
  });
  return failed ? '' : stdout;
}

/** os-release(5). */
async function debianCodename(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] : undefined;
}

/**
 * mmdebstrap knows an archive for each suite but has no option that prints it. Its setup hook runs when the sources
 * list is written and before anything is fetched, so the hook prints the list, to where all of its output goes, and ends the run.
 */
async function mirrorOfMmdebstrap(dir: string): Promise<string> {
  const target = join(dir, `.mirror-${randomUUID()}`);
  try {
    const { stderr } = await execa(
      'mmdebstrap',
      [
        ...CHROOTLESS,
        '--variant=custom',
        '--format=directory',
        `--setup-hook=cat "$1/etc/apt/sources.list" >&2; exit 1`,
        'stable',
        target,
      ],
      { reject: false, env: { LC_ALL: 'C' }, stdin: 'ignore' },
    );
    const mirror = /^deb (?:\[[^\]]*\] )?(\S+) stable /m.exec(stderr)?.[1];
    if (mirror !== undefined) return mirror;
  } finally {
    await rm(target, { recursive: true, force: true });
  }
  throw new RigError(
    'host',
    "no Debian mirror is known: this machine's apt uses none and mmdebstrap, which has a default, did not name it",
    'set CXLRIG_MIRROR to the address of a Debian mirror, or install mmdebstrap',
  );
}
