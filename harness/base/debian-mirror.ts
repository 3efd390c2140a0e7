import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RigError, UsageError } from './errors.js';

/**
 * The address of a Debian archive for this machine: the one asked for, else `$CXLRIG_MIRROR`, else the one that
 * the machine's own apt uses for Debian, else mmdebstrap's default. Never a name of ours: an archive that is near,
 * allowed and cached is for whoever set up the machine to choose.
 *
 * @param scratch an existing folder that mmdebstrap may be pointed to
 * @throws UsageError when the address asked for is not one that apt takes
 */
export async function debianMirror(
  scratch: string,
  asked: string | undefined = process.env['CXLRIG_MIRROR'],
): Promise<string> {
  if (asked !== undefined && asked !== '') return checkedMirror(asked);
  return (await mirrorOfApt()) ?? (await mirrorOfMmdebstrap(scratch));
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
  return archives.find((uri) => uri !== undefined && /^(https?|file|copy|mirror\S*):/.test(uri));
}

const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

const INDEX_TARGETS_FORMAT = '$(ORIGIN)|$(LABEL)|$(REPO_URI)';

/** Spaces and brackets would be options in a sources list. */
const MIRROR = /^(https?|file|copy|mirror[+a-z]*):\/?[^\s[\]"']+$/;

function checkedMirror(mirror: string): string {
  if (MIRROR.test(mirror)) return mirror;
  throw new UsageError(
    `'${mirror}' is not the address of a Debian mirror`,
    'give what apt takes, like http://HOST/debian, or leave it out to use the one of this machine',
  );
}

async function mirrorOfApt(): Promise<string | undefined> {
  const { stdout, failed } = await execa(
    'apt-get',
    ['indextargets', '--format', INDEX_TARGETS_FORMAT, 'Created-By: Packages'],
    { reject: false, env: { LC_ALL: 'C' }, stdin: 'ignore' },
  );
  return failed ? undefined : mirrorInIndexTargets(stdout);
}

/**
 * mmdebstrap knows an archive for each suite but has no option that prints it. Its setup hook runs when the sources
 * list is written and before anything is fetched, so the hook prints the list and ends the run.
 */
async function mirrorOfMmdebstrap(scratch: string): Promise<string> {
  const target = join(scratch, `.mirror-${process.pid}`);
  try {
    const { stdout } = await execa(
      'mmdebstrap',
      [
        '--mode=chrootless',
        '--variant=custom',
        '--format=directory',
        `--setup-hook=cat "$1/etc/apt/sources.list"; exit 1`,
        'stable',
        target,
      ],
      { reject: false, env: { LC_ALL: 'C' }, stdin: 'ignore' },
    );
    const mirror = /^deb (?:\[[^\]]*\] )?(\S+) stable /m.exec(stdout)?.[1];
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
