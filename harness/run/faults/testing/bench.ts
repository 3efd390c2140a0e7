import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa, type Options } from 'execa';
import { expect, vi } from 'vitest';
import { builtCommand, processesIn, workFolder } from '../../../testing/command.js';
import { type Consequence, type Outcome } from '../../../testing/fault.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

export interface Bench {
  readonly dir: string;
  readonly scenario: string;
}

/** A scenario of one line, with more of its head. */
export function scenario(sh: string, more = ''): string {
  return `cxlrig: 1\nname: mine\ndescription: a test\ntopology: none\n${more}steps:\n  - exec: { sh: '${sh}' }\n    timeout: 60s\n`;
}

/** A folder with a scenario of one line. */
export async function bench(sh = 'true', more = ''): Promise<Bench> {
  const dir = await workFolder();
  await mkdir(join(dir, TEMPORARY));
  const file = join(dir, 'mine.yaml');
  await writeFile(file, scenario(sh, more));
  return { dir, scenario: file };
}

/** Temporary files of a run go here, where it is seen whether they stay. */
const TEMPORARY = 'tmp';

function temporaryIn({ dir }: Bench): { readonly TMPDIR: string } {
  return { TMPDIR: join(dir, TEMPORARY) };
}

interface Starting {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly out?: string;
}

const OPTIONS = {
  reject: false,
  all: true,
  stdin: 'ignore',
  timeout: 5 * MINUTE,
} as const satisfies Options;

export interface Started {
  readonly command: Promise<{ readonly exitCode?: number | undefined; readonly all: string }> & {
    kill(signal: NodeJS.Signals): boolean;
  };
  readonly dir: string;
  readonly began: number;
}

/** The run, under way. */
export function start(work: Bench, { args = [], env = {}, out = 'runs' }: Starting = {}): Started {
  const words = ['run', work.scenario, '--out', join(work.dir, out), ...args];
  return {
    command: execa('node', [builtCommand, ...words], { ...OPTIONS, env: { ...temporaryIn(work), ...env } }),
    dir: work.dir,
    began: now(),
  };
}

/** The run in user and mount namespaces of its own, which ordinary users may make, after some lines of sh as root there. */
export function inNamespace(work: Bench, lines: readonly string[]): Started {
  const run = `exec node ${builtCommand} run ${work.scenario} --out ${join(work.dir, 'runs')}`;
  const words = ['--user', '--map-root-user', '--mount', 'sh', '-ec', [...lines, run].join('\n')];
  return {
    command: execa('unshare', words, { ...OPTIONS, env: temporaryIn(work) }),
    dir: work.dir,
    began: now(),
  };
}

export function onSmallDisk(work: Bench, folder: string, size: string, lines: readonly string[]): Started {
  return inNamespace(work, [`mkdir -p ${folder}`, `mount -t tmpfs -o size=${size} disk ${folder}`, ...lines]);
}

/** The end of the run: how long after the fault, or its own start, it came, and what is left of it. */
export async function finished(
  { command, dir, began }: Started,
  provoke?: () => Promise<unknown>,
): Promise<Consequence> {
  await provoke?.();
  const from = provoke ? now() : began;
  const { exitCode, all } = await command;
  const seconds = secondsSince(from);
  return { outcome: outcomeOf(exitCode, all), told: all, seconds, left: await leftIn(dir) };
}

function outcomeOf(exitCode: number | undefined, told: string): Outcome {
  if (exitCode === 0) return 'pass';
  if (exitCode === 1) return 'fail';
  if (exitCode === 130) return 'interrupted (exit 130)';
  return /^INFRA/m.test(told) ? 'infra' : 'refused (exit 3)';
}

/** Processes, and files that only a living run has. QEMU gets a moment to be gone. */
export async function leftIn(dir: string): Promise<string[]> {
  await gone(dir).catch(() => undefined);
  const files = (await readdir(dir, { recursive: true })).filter((name) =>
    /(?:^|\/)(?:initrd|id_ed25519|known_hosts|\.vite|\.owner)$|\.draft-|^tmp\//.test(name),
  );
  return [...(await processesIn(dir)).map((pid) => `process ${pid}`), ...files];
}

export async function gone(dir: string): Promise<void> {
  await vi.waitFor(async () => expect(await processesIn(dir)).toEqual([]), 10 * SECOND);
}

async function consoleOf({ dir }: Bench): Promise<string> {
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('/console.log'));
  return (await Promise.all(files.map((file) => readFile(join(dir, file), 'utf8')))).join('');
}

/** The guest's console shows what is typed in it. */
export async function inAStep(work: Bench): Promise<void> {
  await vi.waitFor(async () => expect(await consoleOf(work)).toMatch(/cxlrig-init: ready/), {
    timeout: 2 * MINUTE,
    interval: 100,
  });
  await sleep(4 * SECOND);
}

/** The guest's QEMU, which works in the guest's folder. */
export async function qemuOf({ dir }: Bench): Promise<number> {
  const [pid] = await processesIn(dir);
  if (pid === undefined) throw new Error('no QEMU runs yet');
  return Number(pid);
}

export async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
}

export async function killed(pid: Promise<number>): Promise<void> {
  process.kill(await pid, 'SIGKILL');
}

export function interrupted({ command }: Started): Promise<void> {
  command.kill('SIGINT');
  return Promise.resolve();
}

export function now(): number {
  return performance.now();
}

export function secondsSince(from: number): number {
  return (now() - from) / SECOND;
}
