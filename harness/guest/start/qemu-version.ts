import { execa } from 'execa';
import { RigError } from '../../base/errors.js';
import { CONFINED, OF_ANY_QEMU } from './confinement.js';

/** The QEMU that boots the guests. */
export interface QemuVersion {
  /** as it is started: a name that is looked up in PATH, or the path in $CXLRIG_QEMU */
  readonly binary: string;
  /** `10.0.2` */
  readonly version: string;
  readonly major: number;
  readonly minor: number;
  /** arguments that keep it from system calls it has no use for; none where QEMU or the host has no such thing */
  readonly sandbox: readonly string[];
  /** it can be started such that it sees no files but those that it needs (scripts/confined) */
  readonly isConfined: boolean;
}

/** The oldest with what the topologies need: volatile memdevs, DCD, and cxl-fmw windows as machine options. */
const OLDEST = { major: 9, minor: 1 };
const ANSWER_MS = 20_000;
const REMEDY = '`scripts/cxlrig doctor` says what is missing and how to get it';

/**
 * Finds QEMU: `$CXLRIG_QEMU`, else `qemu-system-x86_64` of PATH.
 * @throws RigError (host) when there is none, when it does not start, or when it is too old
 */
export async function qemuVersion(env: NodeJS.ProcessEnv = process.env): Promise<QemuVersion> {
  const binary = env['CXLRIG_QEMU'] ?? 'qemu-system-x86_64';
  const [asked, hasSandbox, isConfined] = await Promise.all([
    execa(binary, ['--version'], { reject: false, timeout: ANSWER_MS, stdin: 'ignore' }),
    starts([binary, ...SANDBOX]),
    starts([...CONFINED, ...OF_ANY_QEMU, '--', binary]),
  ]);
  if (asked.failed) {
    const why = asked.shortMessage ?? asked.stderr;
    throw new RigError('host', `QEMU could not be asked for its version: ${why}`, REMEDY);
  }
  const found = parseQemuVersion(asked.stdout);
  if (!found) throw new RigError('host', `${binary} does not say that it is QEMU: ${asked.stdout}`, REMEDY);
  if (found.major < OLDEST.major || (found.major === OLDEST.major && found.minor < OLDEST.minor)) {
    throw new RigError(
      'host',
      `${binary} is QEMU ${found.version}; CXL memory needs ${OLDEST.major}.${OLDEST.minor} or newer`,
      REMEDY,
    );
  }
  return { binary, ...found, sandbox: hasSandbox ? SANDBOX : [], isConfined };
}

/**
 * seccomp: QEMU can start no program, take no other user's rights and change no priorities, whatever makes it want to.
 * Which files it reads and writes is for scripts/confined.
 */
const SANDBOX = [
  '-sandbox',
  'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
] as const;

/** Tried, on a machine of nothing: QEMU may be built without it, the kernel may lack it, and a container may forbid it. */
async function starts([program = '', ...words]: readonly string[]): Promise<boolean> {
  const args = [
    ...words,
    '-M',
    'none',
    '-nodefaults',
    '-no-user-config',
    '-display',
    'none',
    '-qmp',
    'stdio',
  ];
  const input = ['qmp_capabilities', 'quit'].map((execute) => `${JSON.stringify({ execute })}\n`).join('');
  const { failed } = await execa(program, args, { reject: false, timeout: ANSWER_MS, input });
  return !failed;
}

const known = new Map<string, QemuVersion>();

/** The same, asked once in this process: starting QEMU for its version alone takes a twentieth of a resume. */
export async function knownQemu(env: NodeJS.ProcessEnv = process.env): Promise<QemuVersion> {
  const name = env['CXLRIG_QEMU'] ?? '';
  const qemu = known.get(name) ?? (await qemuVersion(env));
  known.set(name, qemu);
  return qemu;
}

/** The version in what `qemu-system-x86_64 --version` prints. */
export function parseQemuVersion(text: string): Pick<QemuVersion, 'version' | 'major' | 'minor'> | undefined {
  const match = /^QEMU emulator version ((\d+)\.(\d+)(?:\.\d+)*)/m.exec(text);
  if (!match) return undefined;
  const [, version = '', major, minor] = match;
  return { version, major: Number(major), minor: Number(minor) };
}
