import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestCase, Vitest } from 'vitest/node';
import { RigError } from '../base/errors.js';
import { packageRoot } from '../base/places.js';
import type { Standing } from '../report/live.js';
import type { Briefing } from './briefing.js';
import { openLedger, type CaseEvent, type CaseResult } from './ledger.js';
import type { PlannedCase } from './planned-case.js';
import { ENGINE } from './run-dir.js';
import { makeSchedule } from './schedule.js';
import { forgetTurn } from './turns.js';
import { makeWorkerPool, type WorkerPool } from './worker-pool.js';
import type { WorkerProcess } from './worker-process.js';

export interface SessionSubscriber {
  event(event: CaseEvent): void;
  /** called at the beginning, and whenever a case has ended */
  standing(standing: Standing): void;
}

export interface SessionOrder {
  readonly briefing: Briefing;
  readonly cases: readonly PlannedCase[];
  /** workers at a time */
  readonly jobs: number;
  /** guests that may start beside those that are at work */
  readonly spare: number;
  /** stop after so many failures; 0: never */
  readonly bail: number;
  /** stop after the first failure; turns that were not run by then are of no interest */
  readonly untilFail: boolean;
  readonly startWorker: () => WorkerProcess;
}

const INTERRUPTED = 'interrupted';

const caseRunner = fileURLToPath(new URL('./case-runner.js', import.meta.url));

/**
 * Runs the planned cases in vitest workers; each leaves its trace on disk.
 * @param signal when it aborts, the run ends at once: guests die, cases that had not ended are reported as infra
 * @returns what became of every planned case and turn, in planned order
 */
export async function runSession(
  { briefing, cases, jobs, spare, bail, untilFail, startWorker }: SessionOrder,
  subscriber: SessionSubscriber,
  signal: AbortSignal,
): Promise<CaseResult[]> {
  const { runDir } = briefing;
  const ledger = openLedger(runDir, cases, (event) => subscriber.event(event));
  const silences = new Map<string, string>();
  const most = untilFail ? 1 : bail;
  let bad = 0;
  await Promise.all(cases.map(({ artifacts }) => mkdir(join(runDir, artifacts), { recursive: true })));
  const schedule = makeSchedule(cases);
  const tellStanding = (): void => {
    const isKnown = 2 * cases.filter(({ isTimed }) => isTimed).length >= cases.length;
    const leftMs = schedule.waitingMs() / jobs;
    subscriber.standing({ done: ledger.done(), of: cases.length, ...(isKnown && { leftMs }) });
  };
  tellStanding();
  const pool: WorkerPool = makeWorkerPool({
    jobs,
    spare,
    briefing,
    modules: new Map(cases.map((planned) => [moduleOf(runDir, planned), planned])),
    schedule,
    startWorker,
    event: (planned, event) => ledger.event(planned, event),
    ended: (planned, died) => {
      const silence = signal.aborted
        ? INTERRUPTED
        : died !== undefined
          ? `its worker ended: ${died}`
          : (silences.get(moduleOf(runDir, planned)) ?? 'the case ended without a trace');
      const result = ledger.ended(planned, silence);
      forgetTurn(runDir, result);
      tellStanding();
      if (result.verdict === 'fail' || result.verdict === 'infra') bad += 1;
      if (most > 0 && bad >= most) pool.stopGivingOut();
    },
    dropped: (planned) => {
      if (untilFail && !signal.aborted && planned.turn) ledger.forget(planned);
      else
        ledger.ended(
          planned,
          signal.aborted ? INTERRUPTED : `not run: the run ended after ${bail} failures (--bail)`,
        );
    },
  });
  const onTestCaseResult = (testCase: TestCase): void => {
    const message = testCase.result().errors?.[0]?.message;
    if (message !== undefined) silences.set(testCase.module.moduleId, `the rig failed: ${message}`);
  };
  await runVitest(
    pool,
    cases.map((planned) => moduleOf(runDir, planned)),
    runDir,
    { onTestCaseResult },
    signal,
  );
  return ledger.results(signal.aborted ? INTERRUPTED : 'the case never reported: its worker ended early');
}

/** The name that vitest knows the case by. There is no such file: the worker is told which case it stands for. */
function moduleOf(runDir: string, { artifacts }: PlannedCase): string {
  return join(runDir, artifacts, 'case');
}

async function runVitest(
  pool: WorkerPool,
  modules: readonly string[],
  runDir: string,
  reporter: { readonly onTestCaseResult: (testCase: TestCase) => void },
  signal: AbortSignal,
): Promise<void> {
  const exitCode = process.exitCode;
  const stop = (): void => pool.end();
  signal.addEventListener('abort', stop);
  try {
    const vitest = await create(pool, modules.length, runDir, reporter);
    if (signal.aborted) stop();
    const project = vitest.getRootProject();
    await vitest.runTestSpecifications(modules.map((module) => project.createSpecification(module)));
    await vitest.close();
  } catch (error) {
    throw new RigError('host', `the test engine did not start: ${String(error)}`, undefined, [], {
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await pool.close();
    process.exitCode = exitCode;
  }
}

async function create(
  pool: WorkerPool,
  modules: number,
  runDir: string,
  reporter: { readonly onTestCaseResult: (testCase: TestCase) => void },
): Promise<Vitest> {
  const own = new Set(listenersToSignals().map(([, listener]) => listener));
  const { createVitest } = await import('vitest/node');
  const vitest = await createVitest(
    'test',
    {
      root: packageRoot,
      config: false,
      include: [],
      exclude: [],
      watch: false,
      pool: pool.runner,
      // for vitest there is a worker for each module: see makeWorkerPool
      isolate: true,
      maxWorkers: modules,
      runner: caseRunner,
      reporters: [reporter],
      experimental: { viteModuleRunner: false, nodeLoader: false },
    },
    { logLevel: 'silent', cacheDir: join(runDir, ENGINE) },
  );
  // vitest ends the process at once on a signal, but there are reports to write first
  for (const [name, listener] of listenersToSignals()) if (!own.has(listener)) process.off(name, listener);
  return vitest;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type Listener = (...args: unknown[]) => void;

function listenersToSignals(): (readonly [(typeof SIGNALS)[number], Listener])[] {
  return SIGNALS.flatMap((name) =>
    process.rawListeners(name).map((listener) => [name, listener as Listener] as const),
  );
}
