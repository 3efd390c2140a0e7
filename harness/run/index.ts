import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RigError } from '../base/errors.js';
import { stopwatch } from '../base/stopwatch.js';
import { chooseAccelerator, qemuVersion } from '../guest/index.js';
import { countGuests, countVerdicts } from '../report/results.js';
import { TRACE_VERSION, type CaseTrace, type RunSummary } from '../report/trace.js';
import { writeReports } from '../report/write.js';
import { exitCode } from '../verdict/index.js';
import { guestsAtATime } from './capacity.js';
import { describeEnvironment } from './environment.js';
import { makePlan } from './plan.js';
import { prepareBootables } from './prepare.js';
import type { CaseEvent } from './reporter.js';
import type { RunRequest } from './request.js';
import { runSession } from './session.js';

export type { RunRequest } from './request.js';
export type { CaseEvent } from './reporter.js';

export interface RunOutcome {
  readonly runDir: string;
  readonly summary: RunSummary;
  readonly traces: readonly CaseTrace[];
}

export interface RunSubscriber {
  /**
   * everything is ready: the first guest boots next
   * @param remark why less is done at once than was asked for
   */
  started(environment: RunSummary['environment'], cases: number, runDir: string, remark?: string): void;
  event(event: CaseEvent): void;
}

/**
 * A whole run: plan, kernels and images, guests, traces, reports.
 * @throws UsageError before anything is fetched or booted when the request or a scenario is invalid
 * @throws RigError when a kernel or image can't be had, QEMU is missing, or the run's folder can't be written
 */
export async function run(
  request: RunRequest,
  subscriber: RunSubscriber,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const startedAt = Date.now();
  const elapsed = stopwatch();
  const plan = await makePlan(request);
  const { version: qemu } = await qemuVersion();
  const choice = await chooseAccelerator(request.accelerator);
  const runDir = await makeRunDir(request.out, startedAt);
  const bootables = await prepareBootables(request.kernels, {
    progress: request.progress,
    mirror: request.mirror,
    signal,
  }).catch(async (error: unknown) => {
    // nothing was run: an empty folder would pass for the newest run
    await rmdir(runDir);
    throw error;
  });
  const environment = await describeEnvironment(bootables, qemu, choice);
  const { jobs, remark } = guestsAtATime(
    request.jobs,
    plan.cases.map(({ machine }) => machine),
  );
  subscriber.started(environment, plan.cases.length, runDir, remark);
  const briefing = {
    runDir,
    bootables,
    accelerator: choice.accelerator,
    qemuVersion: qemu,
    cold: request.cold ?? false,
    keepOnFailure: request.keepOnFailure,
    retries: request.retries,
    cases: plan.cases,
  };
  const traces = await runSession({ ...request, jobs }, briefing, (event) => subscriber.event(event), signal);
  const counts = countVerdicts(traces);
  const summary: RunSummary = {
    version: TRACE_VERSION,
    startedAt,
    milliseconds: elapsed(),
    command: request.command,
    environment,
    counts,
    guests: countGuests(traces),
    exitCode: exitCode(counts, signal.aborted),
  };
  await writeReports(runDir, summary, traces);
  return { runDir, summary, traces };
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

/** `.cxlrig/runs/2026-11-22T18-20-05.123`: sorts by time, and a second run in the same millisecond gets another. */
async function makeRunDir(out: string, startedAt: number): Promise<string> {
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

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
