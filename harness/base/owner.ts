import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** File in a folder that tells whose it is, for as long as its owner is at work in it. */
const OWNER = '.owner';

/** All our folders among the temporary files begin so. */
const OURS = 'cxlrig-';

/** Nobody knows whether a process of another machine or container still runs; none of ours does for so long. */
const STRANGER_MS = 3 * 24 * 60 * 60_000;

interface Owner {
  readonly pid: number;
  /** when the process started, in ticks since the machine did: another one of the same number started at another time */
  readonly started: string;
  /** where the number counts: boot of the machine, and namespace */
  readonly space: string;
}

/** Marks a folder as one that this process works in. */
export async function own(dir: string): Promise<void> {
  await writeFile(join(dir, OWNER), JSON.stringify(thisProcess()));
}

/** What is in the folder now is to stay. */
export function disown(dir: string): void {
  rmSync(join(dir, OWNER), { force: true });
}

/**
 * Folders right below `parent` whose owners ended without clearing up (SIGKILL, power cut), and that they never will.
 * Only those of this user: other users have their own harness.
 */
export async function orphansIn(parent: string, prefix = ''): Promise<string[]> {
  const names = await readdir(parent).catch(() => []);
  const dirs = names.filter((name) => name.startsWith(prefix)).map((name) => join(parent, name));
  const orphaned = await Promise.all(dirs.map(isOrphan));
  return dirs.filter((_, index) => orphaned[index]);
}

/**
 * A new folder among the temporary files, for this process alone. Those of processes that were killed go at this
 * opportunity.
 * @param purpose a word of its name
 */
export async function temporaryFolder(purpose: string): Promise<string> {
  const parent = tmpdir();
  for (const orphan of await orphansIn(parent, OURS)) await rm(orphan, { recursive: true, force: true });
  const dir = await mkdtemp(join(parent, `${OURS}${purpose}-`));
  await own(dir);
  return dir;
}

async function isOrphan(dir: string): Promise<boolean> {
  try {
    const [folder, mark] = [await lstat(dir), await lstat(join(dir, OWNER))];
    if (!folder.isDirectory() || folder.uid !== process.getuid?.() || mark.uid !== folder.uid) return false;
    const { pid, started, space } = JSON.parse(await readFile(join(dir, OWNER), 'utf8')) as Owner;
    if (space !== thisProcess().space) return Date.now() - mark.mtimeMs > STRANGER_MS;
    return startOf(pid) !== started;
  } catch {
    // it has no owner, or goes away while it is looked at
    return false;
  }
}

let self: Owner | undefined;

function thisProcess(): Owner {
  return (self ??= {
    pid: process.pid,
    started: startOf(process.pid) ?? '',
    space: `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`,
  });
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)); the second one, the name, may hold anything. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}
