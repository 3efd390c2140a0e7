import { existsSync } from 'node:fs';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { cores } from '../base/cores.js';
import { debianKeyring } from '../base/debian/debian-mirror.js';
import { debianSuite } from '../base/debian/debian.js';
import { RigError } from '../base/errors.js';
import { cacheRoot } from '../base/places.js';
import { chooseAccelerator, qemuVersion } from '../guest/index.js';
import { programPath } from '../kernel/build/build-tools.js';
import { buildTools } from '../kernel/index.js';
import { emulatorFindings } from './emulator.js';
import type { Finding } from './finding.js';

export interface HostCheckOptions {
  /** where runs are kept; default: the working folder */
  readonly runsDir?: string;
}

/** Everything of the host that a run depends on, in the order in which a run meets it. Never throws. */
export async function checkHost(options: HostCheckOptions = {}): Promise<readonly Finding[]> {
  const checks: (() => Finding | Promise<Finding | Finding[]>)[] = [
    checkNode,
    checkQemu,
    checkCxlOfQemu,
    checkLimitsOfQemu,
    checkAccelerator,
    regionCommitNote,
    ...PROGRAMS.map((program) => () => checkProgram(program)),
    checkKeyring,
    checkCache,
    () => checkSpace('disk of the cache', cacheRoot(), CACHE_BYTES),
    () => checkSpace('disk of the runs', options.runsDir ?? process.cwd(), RUNS_BYTES),
    checkMemory,
    checkMirror,
    checkBuildTools,
  ];
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...[await check()].flat());
  return findings;
}

const MEGABYTE = 1e6;

/** A kernel with its modules unpacked takes 0.3 GB, the package index and images 0.1; a kernel built here far more. */
const CACHE_BYTES = { fail: 500 * MEGABYTE, warn: 3000 * MEGABYTE };
/** A case leaves some 100 kB, and its guest's initramfs while it runs. */
const RUNS_BYTES = { fail: 100 * MEGABYTE, warn: 500 * MEGABYTE };
/** A guest has 1 GB of RAM, of which a stock kernel touches 0.3, and CXL memory as far as it is touched. */
const MEMORY_BYTES = { fail: 700 * MEGABYTE, warn: 1500 * MEGABYTE };

const INSTALL = '`scripts/cxlrig run` installs it; by hand:';

interface HostProgram {
  readonly name: string;
  readonly package: string;
  readonly purpose: string;
}

const PROGRAMS: readonly HostProgram[] = [
  { name: 'mmdebstrap', package: 'mmdebstrap', purpose: 'unpacks the guest image' },
  { name: 'apt-get', package: 'apt', purpose: 'fetches kernels and packages' },
  { name: 'dpkg-deb', package: 'dpkg', purpose: 'unpacks kernels' },
  { name: 'depmod', package: 'kmod', purpose: "indexes the guest's modules" },
  { name: 'cpio', package: 'cpio', purpose: 'packs the guest image' },
  { name: 'xz', package: 'xz-utils', purpose: "decompresses a kernel's modules" },
  { name: 'zstd', package: 'zstd', purpose: 'unpacks kernels' },
  { name: 'git', package: 'git', purpose: "reads kernels' sources and patches" },
  { name: 'setpriv', package: 'util-linux', purpose: 'lets QEMU end with cxlrig' },
];

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const detail = process.version;
  return major > 20 || (major === 20 && minor >= 19)
    ? { subject: 'Node.js', status: 'ok', detail }
    : {
        subject: 'Node.js',
        status: 'fail',
        detail: `${detail} is too old`,
        remedy: 'install Node.js >= 20.19',
      };
}

async function checkQemu(): Promise<Finding> {
  try {
    const { binary, version, sandbox, isConfined } = await qemuVersion();
    const calls =
      sandbox.length > 0 ? 'its system calls filtered' : 'its system calls not filtered: no seccomp here';
    const files = isConfined
      ? 'sees no files but its own'
      : 'sees all files: it does not start under Landlock';
    return { subject: 'QEMU', status: 'ok', detail: `${version} (${binary}), ${calls}, ${files}` };
  } catch (error) {
    return {
      subject: 'QEMU',
      status: 'fail',
      detail: (error as Error).message,
      remedy: `${INSTALL} apt-get install qemu-system-x86 (on Debian 12: from its backports), or set CXLRIG_QEMU`,
    };
  }
}

/** A QEMU may be built without devices: Red Hat's has no CXL memory. */
async function checkCxlOfQemu(): Promise<Finding> {
  const subject = 'CXL in QEMU';
  const binary = process.env['CXLRIG_QEMU'] ?? 'qemu-system-x86_64';
  const { stdout, failed } = await execa(binary, ['-device', 'cxl-type3,help'], {
    reject: false,
    timeout: 20_000,
    stdin: 'ignore',
  });
  return !failed && stdout.includes('volatile-memdev')
    ? { subject, status: 'ok', detail: 'type-3 devices with volatile, persistent and dynamic capacity' }
    : {
        subject,
        status: 'fail',
        detail: `${binary} has no cxl-type3 device with volatile memory`,
        remedy:
          'use a QEMU >= 9.1 that is built with all its devices, as Debian builds it; CXLRIG_QEMU names one',
      };
}

/** None of a QEMU that is not there: another check says so. */
async function checkLimitsOfQemu(): Promise<Finding[]> {
  const qemu = await qemuVersion().catch(() => undefined);
  return qemu ? emulatorFindings(qemu.version) : [];
}

async function checkAccelerator(): Promise<Finding> {
  const { accelerator, reason } = await chooseAccelerator();
  return { subject: 'accelerator', status: 'ok', detail: `${accelerator}: ${reason}` };
}

function regionCommitNote(): Finding {
  return {
    subject: 'region commit',
    status: 'ok',
    detail:
      'guests have no hypervisor CPUID bit; where it is set, the kernel refuses every region (ENXIO, ndctl#250) unless it has CONFIG_CXL_REGION_INVALIDATION_TEST',
  };
}

function checkProgram({ name, package: owner, purpose }: HostProgram): Finding {
  const path = programPath(name);
  return path === undefined
    ? {
        subject: name,
        status: 'fail',
        detail: `missing; it ${purpose}`,
        remedy: `${INSTALL} apt-get install ${owner}`,
      }
    : { subject: name, status: 'ok', detail: path };
}

function checkKeyring(): Finding {
  const subject = 'keys of Debian';
  try {
    return { subject, status: 'ok', detail: debianKeyring() };
  } catch (error) {
    return {
      subject,
      status: 'fail',
      detail: (error as Error).message,
      remedy: `${INSTALL} apt-get install debian-archive-keyring`,
    };
  }
}

async function checkCache(): Promise<Finding> {
  const subject = 'cache';
  const dir = cacheRoot();
  const probe = join(dir, `.doctor-${process.pid}`);
  try {
    await mkdir(dir, { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
    return { subject, status: 'ok', detail: dir };
  } catch (error) {
    return {
      subject,
      status: 'fail',
      detail: `can't be written: ${(error as Error).message}`,
      remedy: 'make it writable, or set CXLRIG_CACHE to a folder that is',
    };
  }
}

async function checkSpace(
  subject: string,
  dir: string,
  limits: { readonly fail: number; readonly warn: number },
): Promise<Finding> {
  const { bavail, bsize } = await statfs(nearestExisting(dir));
  return byLimits(
    subject,
    bavail * bsize,
    limits,
    `free at ${dir}`,
    'free space there, or choose another folder',
  );
}

function checkMemory(): Finding {
  const subject = 'memory';
  return byLimits(
    subject,
    process.availableMemory(),
    MEMORY_BYTES,
    `available, ${cores()} cores`,
    'end other programs, or run with --jobs 1',
  );
}

/** The first run needs a mirror; later ones only to see whether there is something newer. */
async function checkMirror(): Promise<Finding> {
  const subject = 'Debian mirror';
  let notice: string | undefined;
  const suite = debianSuite({ progress: ({ detail }) => (notice = detail ?? notice) });
  try {
    const { mirror, codename } = await suite.source('stable');
    const detail = `${mirror} (stable is ${codename})`;
    return notice === undefined
      ? { subject, status: 'ok', detail }
      : {
          subject,
          status: 'warn',
          detail: `${detail}: its index ${notice}`,
          remedy: 'what is in the cache runs without a network; new kernels and images need one',
        };
  } catch (error) {
    const rig = error instanceof RigError ? error : undefined;
    return {
      subject,
      status: 'fail',
      detail: (error as Error).message,
      remedy: rig?.remedy ?? 'check the network, or choose another mirror by CXLRIG_MIRROR',
    };
  }
}

function checkBuildTools(): Finding {
  const subject = 'kernel build';
  const missing = buildTools().filter(({ present }) => !present);
  return missing.length === 0
    ? { subject, status: 'ok', detail: 'compiler and tools are there' }
    : {
        subject,
        status: 'warn',
        detail: `stock kernels run; to build others, ${missing.map(({ name }) => name).join(', ')} missing`,
        remedy: `whatever builds one installs them; by hand: apt-get install ${missing.map((tool) => tool.package).join(' ')}`,
      };
}

/** Bytes against limits. */
export function byLimits(
  subject: string,
  bytes: number,
  limits: { readonly fail: number; readonly warn: number },
  what: string,
  remedy: string,
): Finding {
  const detail = `${(bytes / 1e9).toFixed(1)} GB ${what}`;
  if (bytes >= limits.warn) return { subject, status: 'ok', detail };
  const status = bytes >= limits.fail ? 'warn' : 'fail';
  return { subject, status, detail, remedy };
}

function nearestExisting(dir: string): string {
  return existsSync(dir) ? dir : nearestExisting(dirname(dir));
}
