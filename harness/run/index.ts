import { cores } from '../base/cores.js';
import { stopwatch } from '../base/stopwatch.js';
import { chooseAccelerator, qemuVersion } from '../guest/index.js';
import type { Standing } from '../report/live.js';
import { countGuests, countVerdicts } from '../report/results.js';
import { TRACE_VERSION, type CaseTrace, type RunSummary } from '../trace/trace.js';
import { writeReports } from '../report/write.js';
import { exitCode } from '../verdict/index.js';
import { guestsAtATime } from './capacity.js';
import { keepDurations } from './durations.js';
import { describeEnvironment } from './environment.js';
import { readHistory, thoseThatChanged } from './history.js';
import { durationsOf, tracesOf, type CaseEvent, type CaseResult } from './ledger.js';
import { makePlan } from './plan.js';
import { prepareBootables } from './prepare.js';
import type { RunRequest } from './request.js';
import { makeRunDir, openRunDir } from './run-dir.js';
import { runSession } from './session.js';
import { foldTurns } from './turns.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

export type { RunRequest } from './request.js';
export type { CaseEvent, CaseResult } from './ledger.js';

export interface RunOutcome {
  readonly runDir: string;
  readonly summary: RunSummary;
  /** in planned order */
  readonly results: readonly CaseResult[];
  /** in planned order, that of the scenarios; each is read from disk when its turn comes */
  readonly traces: Iterable<CaseTrace>;
}

export interface RunSubscriber {
  /**
   * everything is ready: the first guest boots next
   * @param remark why less is done at once than was asked for
   */
  started(environment: RunSummary['environment'], cases: number, runDir: string, remark?: string): void;
  event(event: CaseEvent): void;
  /** how far it is; called whenever a case has ended */
  standing(standing: Standing): void;
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
  const { cases: planned } = await makePlan(request);
  const { version: qemu } = await qemuVersion();
  const choice = await chooseAccelerator(request.accelerator);
  const runDir = await makeRunDir(request.out, startedAt);
  const folder = await openRunDir(runDir);
  const machines = planned.map(({ machine }) => machine);
  const { jobs, remark } = guestsAtATime(request.jobs, machines);
  const { jobs: mostGuests } = guestsAtATime(Math.max(jobs, cores()), machines);
  // they load their code while the kernels are prepared, and vitest too
  const ready = Array.from({ length: Math.min(jobs, planned.length) }, () =>
    startWorkerProcess(folder.temporary),
  );
  void import('vitest/node');
  const startWorker = (): WorkerProcess => ready.shift() ?? startWorkerProcess(folder.temporary);
  const discard = async (error: unknown): Promise<never> => {
    await folder.discard();
    throw error;
  };
  try {
    const bootables = await prepareBootables(request.kernels, {
      progress: request.progress,
      mirror: request.mirror,
      additions: request.additions,
      signal,
    }).catch(discard);
    const cases =
      request.only === 'changed'
        ? await thoseThatChanged(planned, bootables, await readHistory(request.out)).catch(discard)
        : planned;
    const environment = await describeEnvironment(bootables, qemu, choice);
    subscriber.started(environment, cases.length, runDir, remark);
    const briefing = {
      runDir,
      bootables,
      accelerator: choice.accelerator,
      qemuVersion: qemu,
      keepOnFailure: request.keepOnFailure,
      retries: request.retries,
      evidence: request.evidence ?? false,
      ...(request.gdb && { gdb: request.gdb }),
    };
    const turns = await runSession(
      {
        briefing,
        cases,
        jobs,
        // a kept guest goes on, and so do those that would come after it
        spare: request.keepOnFailure || request.gdb ? 0 : mostGuests - jobs,
        bail: request.bail,
        untilFail: request.repeat?.untilFail ?? false,
        startWorker,
      },
      subscriber,
      signal,
    );
    folder.close();
    await keepDurations(durationsOf(turns));
    const results = foldTurns(runDir, turns);
    const counts = countVerdicts(results);
    const summary: RunSummary = {
      version: TRACE_VERSION,
      startedAt,
      milliseconds: elapsed(),
      command: request.command,
      environment,
      counts,
      guests: countGuests(turns),
      exitCode: exitCode(counts, signal.aborted),
    };
    const traces = { [Symbol.iterator]: () => tracesOf(runDir, results) };
    await writeReports(runDir, summary, traces);
    return { runDir, summary, results, traces };
  } finally {
    for (const worker of ready) worker.end();
  }
}
