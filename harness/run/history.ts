import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../base/errors.js';
import { plural } from '../report/plural.js';
import { isBad } from '../report/results.js';
import { folderFileOf } from '../scenario/index.js';
import type { CaseTrace, RunSummary, Verdict } from '../trace/trace.js';
import type { Bootable } from './briefing.js';
import { durationKey } from './durations.js';
import type { PlannedCase } from './planned-case.js';

/** What the newest run that has the case said of it. */
export interface LastTime {
  readonly verdict: Verdict;
  readonly file: string;
  /** when that run began, milliseconds since the Unix epoch */
  readonly startedAt: number;
  /** of the kernel that it ran on */
  readonly kernelId: string | undefined;
  /** its trace.json */
  readonly trace: string;
}

/** By case and kernel, as `durationKey` has it. */
export type History = ReadonlyMap<string, LastTime>;

/** Of older runs nothing is asked. */
const RUNS_LOOKED_AT = 50;

/** What the newest runs below a folder said, of each case the newest. Runs that can't be read are left out. */
export async function readHistory(runs: string): Promise<History> {
  const history = new Map<string, LastTime>();
  const names = (await readdir(runs).catch((): string[] => [])).sort().reverse();
  for (const name of names.slice(0, RUNS_LOOKED_AT)) {
    for (const [key, last] of await lastTimesIn(join(runs, name)))
      if (!history.has(key)) history.set(key, last);
  }
  return history;
}

/** Scenario files with a case that failed when it was run last, and which are still there. */
export function filesThatFailed(history: History): string[] {
  const files = [...history.values()].filter(({ verdict }) => isBad(verdict)).map(({ file }) => file);
  return [...new Set(files)].filter((file) => existsSync(file));
}

/** @throws UsageError when none did */
export function thoseThatFailed(cases: readonly PlannedCase[], history: History): PlannedCase[] {
  const failed = cases.filter((planned) => isBad(lastTimeOf(planned, history)?.verdict ?? 'pass'));
  if (failed.length > 0) return failed;
  throw new UsageError(
    `${cases.length === 1 ? 'the case did not fail' : `none of the ${cases.length} cases failed`} when it was run last`,
    'leave --last-failed out to run them all',
  );
}

/**
 * Those that are not known to pass: never run, failed, or another scenario, topology or kernel since.
 * @throws NothingChanged when there are none
 */
export async function thoseThatChanged(
  cases: readonly PlannedCase[],
  bootables: readonly Bootable[],
  history: History,
): Promise<PlannedCase[]> {
  const changed: PlannedCase[] = [];
  for (const planned of cases)
    if (await hasChanged(planned, bootables, lastTimeOf(planned, history))) changed.push(planned);
  if (changed.length === 0) throw new NothingChanged(cases.length);
  return changed;
}

/** There is nothing to do, which is well. */
export class NothingChanged extends Error {
  override readonly name = 'NothingChanged';
  constructor(cases: number) {
    super(`nothing has changed since ${plural(cases, 'case')} passed`);
  }
}

async function hasChanged(
  { kernel, file, machine }: PlannedCase,
  bootables: readonly Bootable[],
  last: LastTime | undefined,
): Promise<boolean> {
  if (!last || isBad(last.verdict)) return true;
  if (bootables.find((one) => one.kernel.profile === kernel)?.kernel.id !== last.kernelId) return true;
  for (const one of [file, folderFileOf(file)]) {
    const { mtimeMs = 0 } = (await stat(one).catch(() => undefined)) ?? {};
    if (mtimeMs >= last.startedAt) return true;
  }
  const trace = (await readJson(last.trace)) as CaseTrace | undefined;
  return trace?.machine.id !== machine.id;
}

function lastTimeOf({ caseId, kernel }: PlannedCase, history: History): LastTime | undefined {
  return history.get(durationKey(caseId, kernel));
}

interface Results {
  readonly cases: readonly {
    readonly id: string;
    readonly kernel: string;
    readonly verdict: Verdict;
    readonly file: string;
    readonly artifacts: string;
  }[];
}

async function lastTimesIn(dir: string): Promise<[string, LastTime][]> {
  const [results, summary] = await Promise.all(
    ['results.json', 'run.json'].map((name) => readJson(join(dir, name))),
  );
  if (!results || !summary) return [];
  const { startedAt, environment } = summary as RunSummary;
  return (results as Results).cases.map(({ id, kernel, verdict, file, artifacts }) => {
    const suffix = ` @${kernel}`;
    const caseId = id.endsWith(suffix) ? id.slice(0, -suffix.length) : id;
    const kernelId = environment.kernels.find(({ profile }) => profile === kernel)?.id;
    return [
      durationKey(caseId, kernel),
      { verdict, file, startedAt, kernelId, trace: join(dir, artifacts, 'trace.json') },
    ];
  });
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}
