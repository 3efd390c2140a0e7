import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { cacheRoot, packageRoot } from '../base/places.js';
import type { CaseTrace, GuestCounts, RunSummary } from '../trace/trace.js';
import { grouped } from './grouped.js';
import { growthOf, processesWith, sampleHarness, type Growth, type Sample } from './processes.js';
import type { SoakedCase } from './verdicts.js';

export interface RoundOrder {
  /** folder with the scenarios in folders `copy-N` */
  readonly scenarios: string;
  readonly kernel: string;
  readonly jobs: string;
  /** an empty folder, gone afterwards */
  readonly dir: string;
  /** when it is interrupted, on the clock of performance.now() */
  readonly until: number;
}

/** What came of a round, and what it left. */
export interface Round {
  /** those that came to an end in time and asked a guest */
  readonly cases: readonly SoakedCase[];
  readonly skipped: number;
  readonly guests: GuestCounts;
  readonly exitCode: number | undefined;
  /** of each process of the harness that lived long enough */
  readonly growths: readonly Growth[];
  readonly processesLeft: readonly string[];
  readonly filesLeft: readonly string[];
  /** what is in the cache afterwards */
  readonly cache: readonly string[];
}

const SAMPLE_MS = 2_000;

/** QEMU is told to quit and the run does not wait for the last one to be off the process table. */
const SETTLE_MS = 5_000;

/** What a run may leave in a guest's folder. */
const EVIDENCE = ['console.log', 'qemu.log', 'qemu.sh'];

/** One `cxlrig run` as a user types it, watched while it goes on. */
export async function soakRound({ scenarios, kernel, jobs, dir, until }: RoundOrder): Promise<Round> {
  const [out, temporary] = [join(dir, 'runs'), join(dir, 'tmp')];
  await mkdir(temporary, { recursive: true });
  const mark = randomUUID();
  const command = join(packageRoot, 'dist/harness/cli/main.js');
  const run = execa('node', [command, 'run', scenarios, '--kernel', kernel, '--jobs', jobs, '--out', out], {
    env: { TMPDIR: temporary, CXLRIG_SOAK: mark },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'inherit',
    reject: false,
  });
  const samples: Sample[] = [];
  const sampling = setInterval(() => samples.push(...sampleHarness(run.pid ?? 0)), SAMPLE_MS);
  let interruptedAt = Number.POSITIVE_INFINITY;
  const interrupt = setTimeout(
    () => {
      interruptedAt = Date.now();
      run.kill('SIGINT');
    },
    Math.max(0, until - performance.now()),
  );
  const { exitCode } = await run;
  clearInterval(sampling);
  clearTimeout(interrupt);
  const processesLeft = await lingering(`CXLRIG_SOAK=${mark}`);
  const results = await resultsIn(out, interruptedAt);
  const filesLeft = [...(await readdir(temporary)), ...(await filesOfGuests(out))];
  const cache = await entriesOf(cacheRoot());
  await rm(dir, { recursive: true, force: true });
  return {
    ...results,
    exitCode,
    growths: [...grouped(samples, ({ pid }) => pid).values()].flatMap((own) => growthOf(own) ?? []),
    processesLeft,
    filesLeft,
    cache,
  };
}

/** Processes of the run that are still there, in words. They are ended: the next round begins without them. */
async function lingering(variable: string): Promise<string[]> {
  const patience = performance.now() + SETTLE_MS;
  let pids = processesWith(variable);
  while (pids.length > 0 && performance.now() < patience) {
    await sleep(100);
    pids = processesWith(variable);
  }
  return Promise.all(
    pids.map(async (pid) => {
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      process.kill(pid, 'SIGKILL');
      return words.split('\0').join(' ').slice(0, 80);
    }),
  );
}

async function resultsIn(
  out: string,
  interruptedAt: number,
): Promise<Pick<Round, 'cases' | 'skipped' | 'guests'>> {
  const [name] = await readdir(out).catch(() => []);
  if (name === undefined) return { cases: [], skipped: 0, guests: { resumed: 0, booted: 0, fellBack: 0 } };
  const runDir = join(out, name);
  const folders = await readdir(join(runDir, 'cases'));
  const read = folders.map((folder) => readTrace(join(runDir, 'cases', folder, 'trace.json')));
  const traces = (await Promise.all(read)).flatMap((trace) => trace ?? []);
  const inTime = traces.filter(({ startedAt, milliseconds }) => startedAt + milliseconds < interruptedAt);
  const { guests } = JSON.parse(await readFile(join(runDir, 'run.json'), 'utf8')) as RunSummary;
  return {
    cases: inTime
      .filter(({ verdict }) => verdict !== 'skip')
      .map(({ case: { id }, verdict, reason }) => ({ id: id.replace(/^copy-\d+\//, ''), verdict, reason })),
    skipped: inTime.filter(({ verdict }) => verdict === 'skip').length,
    guests: guests ?? { resumed: 0, booted: 0, fellBack: 0 },
  };
}

/** A case that was never begun has none. */
async function readTrace(file: string): Promise<CaseTrace | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as CaseTrace);
}

/** What is not evidence among what guests left, and what only a run that lives has in its folder. */
async function filesOfGuests(out: string): Promise<string[]> {
  const all = await readdir(out, { recursive: true, withFileTypes: true }).catch(() => []);
  return all
    .filter((entry) =>
      /\/guests\//.test(entry.parentPath)
        ? !EVIDENCE.includes(entry.name)
        : /^\.(?:vite|owner)$/.test(entry.name),
    )
    .map(({ name }) => name);
}

/** The cache's entries, two folders deep: its kinds and what there is of each. */
async function entriesOf(root: string): Promise<string[]> {
  const kinds = await readdir(root, { withFileTypes: true }).catch(() => []);
  const entries = kinds.map(async (kind) =>
    kind.isDirectory()
      ? (await readdir(join(root, kind.name)).catch(() => [])).map((name) => `${kind.name}/${name}`)
      : [kind.name],
  );
  return (await Promise.all(entries)).flat();
}
