import { readFile, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { UsageError } from '../base/errors.js';
import { caseTraceSchema, runSummarySchema } from '../trace/schema.js';
import { TRACE_VERSION, type CaseTrace, type RunSummary } from '../trace/trace.js';

/** A run as it lies on disk. */
export interface SavedRun {
  readonly dir: string;
  readonly summary: RunSummary;
  /** in the order in which the cases began */
  readonly traces: readonly CaseTrace[];
}

/** Where runs are kept when nobody says otherwise, relative to the working folder. */
export const RUNS = '.cxlrig/runs';

/**
 * The folder of a run: by path, or by name below the folder of runs; the newest finished one when nothing is given.
 * @throws UsageError when there is none
 */
export async function findRun(name: string | undefined, runs: string = RUNS): Promise<string> {
  if (name === undefined) return newestRun(runs);
  for (const dir of [resolve(name), resolve(runs, name)]) if (await isRun(dir)) return dir;
  throw new UsageError(
    `${name} is not the folder of a run: it has no run.json`,
    `give a folder of ${runs}, or run \`cxlrig run\` first; a run that was killed leaves none`,
  );
}

/**
 * Reads a run's summary and traces.
 * @throws UsageError when one of its files is not what this version writes
 */
export async function readRun(dir: string): Promise<SavedRun> {
  const summary: RunSummary = await readChecked(join(dir, 'run.json'), runSummarySchema);
  const traces = await tracesIn(dir);
  if (traces.length === 0) {
    throw new UsageError(`${dir} has no traces`, 'keep the folder cases/ of a run beside its run.json');
  }
  return { dir, summary, traces };
}

/**
 * The traces in the folder of a run, in the order in which the cases began.
 * @throws UsageError when one of them is not what this version writes
 */
export async function tracesIn(dir: string): Promise<readonly CaseTrace[]> {
  const names = await readdir(join(dir, 'cases')).catch((): string[] => []);
  const files = names.map((name) => join(dir, 'cases', name, 'trace.json'));
  const traces: CaseTrace[] = [];
  for (const file of files) if (await exists(file)) traces.push(await readChecked(file, caseTraceSchema));
  return traces.sort((a, b) => a.startedAt - b.startedAt);
}

/** Whether a word of the command line names a run rather than a scenario. */
export async function namesRun(name: string, runs: string = RUNS): Promise<boolean> {
  return (await isRun(resolve(name))) || isRun(resolve(runs, name));
}

async function newestRun(runs: string): Promise<string> {
  const names = (await readdir(runs).catch((): string[] => [])).sort().reverse();
  for (const name of names) if (await isRun(join(runs, name))) return resolve(runs, name);
  throw new UsageError(
    `there is no finished run in ${runs}`,
    'run `cxlrig run` first, or give the folder of a run',
  );
}

function isRun(dir: string): Promise<boolean> {
  return exists(join(dir, 'run.json'));
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function readChecked<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const value = await parseJson(file);
  const version = (value as { version?: unknown } | null)?.version;
  if (version !== TRACE_VERSION) {
    throw new UsageError(
      `${file} has version ${JSON.stringify(version)} of the trace format, this cxlrig knows ${TRACE_VERSION}`,
      'make the report with the cxlrig that made the run',
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new UsageError(
    `${file} is not a trace: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    '`cxlrig schema trace` prints what it should be',
  );
}

async function parseJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, 'is the run complete?', {
      cause: error,
    });
  }
}
