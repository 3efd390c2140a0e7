import { cp, mkdir, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../base/errors.js';
import { countGuests, countVerdicts } from './results.js';
import type { SavedRun } from './saved-run.js';
import type { CaseTrace, RunEnvironment, RunSummary } from '../trace/trace.js';

/**
 * Puts runs together into one new folder that holds all their cases: shards of a run, or runs of different kernels.
 * @throws UsageError when a case ran on the same kernel in two of them: that is no merge but a choice
 */
export async function mergeRuns(runs: readonly SavedRun[], dir: string): Promise<SavedRun> {
  refuseDoubles(runs);
  await mkdir(dir, { recursive: true });
  if ((await readdir(dir)).length > 0) {
    throw new UsageError(`${dir} is not empty`, 'give a new folder with --out');
  }
  const traces: CaseTrace[] = [];
  const taken = new Set<string>();
  for (const run of runs) {
    for (const trace of run.traces) {
      const artifacts = freeFolder(trace, taken);
      await cp(join(run.dir, trace.artifacts), join(dir, artifacts), { recursive: true });
      traces.push({ ...trace, artifacts });
    }
  }
  traces.sort((a, b) => a.startedAt - b.startedAt);
  return { dir: resolve(dir), summary: mergeSummaries(runs, traces), traces };
}

function refuseDoubles(runs: readonly SavedRun[]): void {
  const from = new Map<string, string>();
  for (const { dir, traces } of runs) {
    for (const { case: identity } of traces) {
      const key = `${identity.id} on kernel ${identity.kernel}`;
      const other = from.get(key);
      if (other !== undefined) {
        throw new UsageError(
          `${key} is in ${other} and in ${dir}`,
          'merge shards of one run, or runs of different kernels',
        );
      }
      from.set(key, dir);
    }
  }
}

/** The same case on two kernels has the same folder in two runs. */
function freeFolder({ artifacts, case: identity }: CaseTrace, taken: Set<string>): string {
  const name = basename(artifacts);
  const folder = taken.has(name) ? `${name}-${identity.kernel.replace(/[^\w.-]+/g, '-')}` : name;
  taken.add(folder);
  return `cases/${folder}`;
}

/** Shards run beside each other: the run took from the first start to the last end. */
function mergeSummaries(runs: readonly SavedRun[], traces: readonly CaseTrace[]): RunSummary {
  const summaries = runs.map(({ summary }) => summary);
  const [first] = summaries;
  if (!first) throw new UsageError('there is nothing to merge', 'name the folders of runs');
  const startedAt = Math.min(...summaries.map((summary) => summary.startedAt));
  const endedAt = Math.max(...summaries.map((summary) => summary.startedAt + summary.milliseconds));
  const codes = summaries.map(({ exitCode }) => exitCode);
  return {
    ...first,
    startedAt,
    milliseconds: endedAt - startedAt,
    environment: mergeEnvironments(
      summaries.map(({ environment }) => environment),
      first.environment,
    ),
    counts: countVerdicts(traces),
    guests: countGuests(traces),
    // a failure of the kernel is worth more than one of the rig, an interrupted run less than a finished one
    exitCode: [1, 3, 130].find((code) => codes.includes(code)) ?? 0,
  };
}

function mergeEnvironments(all: readonly RunEnvironment[], first: RunEnvironment): RunEnvironment {
  const kernels = new Map(
    all.flatMap((environment) =>
      environment.kernels.map((kernel) => [`${kernel.profile} ${kernel.id}`, kernel] as const),
    ),
  );
  return { ...first, kernels: [...kernels.values()] };
}
