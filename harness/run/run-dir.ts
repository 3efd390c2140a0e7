import { existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RigError } from '../base/errors.js';
import { disown, orphansIn, own } from '../base/owner.js';

/** What a guest's folder keeps after the run. */
const EVIDENCE = new Set(['console.log', 'qemu.log', 'qemu.sh']);

/** What vitest and the workers keep in the run's folder while the run goes on. */
export const ENGINE = '.vite';

/** `.cxlrig/runs/2026-11-22T18-20-05.123`: sorts by time, and a second run in the same millisecond gets another. */
export async function makeRunDir(out: string, startedAt: number): Promise<string> {
  const name = new Date(startedAt).toISOString().replaceAll(':', '-').replace('Z', '');
  try {
    await makeFolder(out);
    for (let copy = 0; ; copy += 1) {
      const dir = join(out, copy === 0 ? name : `${name}-${copy}`);
      const made = await mkdir(dir).then(
        () => true,
        (error: unknown) => {
          if (codeOf(error) === 'EEXIST') return false;
          throw error;
        },
      );
      if (made) return dir;
    }
  } catch (error) {
    throw new RigError(
      'trace',
      `the run's folder cannot be made in ${out}: ${(error as Error).message}`,
      'give another folder with --out DIR',
    );
  }
}

/** A run's folder while the run goes on. */
export interface OpenRunDir {
  /** for temporary files, which are found only here when the run is killed */
  readonly temporary: string;
  /** removes what the run's work needed and its reader does not */
  close(): void;
  /** nothing was run: an empty folder would pass for the newest run */
  discard(): Promise<void>;
}

/** Makes the folder the run's own, and removes what runs beside it left that were killed. */
export async function openRunDir(runDir: string): Promise<OpenRunDir> {
  const sweep = (): void => clearUp(runDir);
  process.once('exit', sweep);
  await own(runDir);
  for (const dead of await orphansIn(dirname(runDir))) clearUp(dead);
  const temporary = join(runDir, ENGINE, 'tmp');
  await mkdir(temporary, { recursive: true });
  const close = (): void => {
    sweep();
    process.off('exit', sweep);
  };
  return {
    temporary,
    close,
    discard: async () => {
      close();
      await rmdir(runDir);
    },
  };
}

/**
 * Leaves of a run, this or a dead one, what it was done for. Synchronous, for it is also the last thing that a process
 * does which is told to exit by others.
 */
function clearUp(runDir: string): void {
  rmSync(join(runDir, ENGINE), { recursive: true, force: true });
  const guests = join(runDir, 'guests');
  for (const guest of existsSync(guests) ? readdirSync(guests) : []) {
    for (const file of readdirSync(join(guests, guest))) {
      if (!EVIDENCE.has(file)) rmSync(join(guests, guest, file), { recursive: true, force: true });
    }
  }
  disown(runDir);
}

/** mkdir -p. Node's own recursive mkdir never returns below /proc, where mkdir says ENOENT of a parent that exists. */
async function makeFolder(path: string): Promise<void> {
  const make = (): Promise<void> =>
    mkdir(path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  await make().catch(async (error: unknown) => {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await make();
  });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
