import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, type Options } from 'execa';
import { onTestFinished } from 'vitest';
import { packageRoot } from '../base/places.js';

/** The built command line, as users run it. `npm run build` comes before the guest tests. */
export const builtCommand = join(packageRoot, 'dist/harness/cli/main.js');

export interface Finished {
  readonly exitCode: number | undefined;
  /** standard output and error, as they came */
  readonly text: string;
}

/** Runs `cxlrig ...` to its end, which comes within ten minutes or not at all. */
export async function cxlrig(args: readonly string[], options: Options = {}): Promise<Finished> {
  const { exitCode, all } = await execa('node', [builtCommand, ...args], {
    timeout: 30 * 60_000,
    ...options,
    reject: false,
    all: true,
    ...(options.input === undefined && { stdin: 'ignore' }),
  });
  return { exitCode, text: String(all) };
}

/** Starts `cxlrig ...` and goes on; `text()` is what it has printed so far. It ends within five minutes. */
export function startCxlrig(args: readonly string[]) {
  const child = execa('node', [builtCommand, ...args], {
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: 300_000,
  });
  let text = '';
  child.all.on('data', (data: Buffer) => (text += data.toString('utf8')));
  return { child, text: () => text };
}

/** A folder for a run's artifacts or a user's scenarios; gone with the test. */
export async function workFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cxlrig-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Processes that work in a folder or below it: QEMU runs in its guest's folder. */
export async function processesIn(folder: string): Promise<string[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(numbers.map((number) => readlink(`/proc/${number}/cwd`).catch(() => '')));
  return numbers.filter((_, index) => folders[index]?.startsWith(folder));
}
