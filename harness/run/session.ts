import { existsSync, readdirSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BaseSequencer, startVitest, type TestSpecification, type Vitest } from 'vitest/node';
import { RigError } from '../base/errors.js';
import { disown, orphansIn, own } from '../base/owner.js';
import { packageRoot } from '../base/places.js';
import type { CaseTrace } from '../report/trace.js';
import type { Briefing } from './briefing.js';
import type { PlannedCase } from './plan.js';
import { externalCode, scenarioPlugin } from './plugin.js';
import { eventStream, type CaseEvent } from './reporter.js';
import type { RunRequest } from './request.js';

/** What a guest's folder keeps after the run. */
const EVIDENCE = new Set(['console.log', 'qemu.log', 'qemu.sh']);

/** What vitest keeps while it runs. */
const ENGINE = '.vite';

/** How long workers get to end by themselves after an interrupt before they are killed. */
const GRACE_MS = 4_000;

/**
 * Runs the planned cases in vitest workers and returns a trace for every one of them.
 * @param signal when it aborts, the run ends at once: guests die, cases that had not ended are reported as infra
 */
export async function runSession(
  request: RunRequest,
  briefing: Briefing,
  subscriber: (event: CaseEvent) => void,
  signal: AbortSignal,
): Promise<CaseTrace[]> {
  const { runDir } = briefing;
  const sweep = (): void => clearUp(runDir);
  process.once('exit', sweep);
  await own(runDir);
  for (const dead of await orphansIn(dirname(runDir))) clearUp(dead);
  const stream = eventStream(runDir, briefing.cases, subscriber, signal);
  await Promise.all(
    briefing.cases.map(({ artifacts }) => mkdir(join(runDir, artifacts), { recursive: true })),
  );
  const exitCode = process.exitCode;
  const vitest = await start(request, briefing, stream.reporter, signal);
  await close(vitest, signal);
  process.exitCode = exitCode;
  sweep();
  process.off('exit', sweep);
  return stream.traces(signal.aborted ? 'interrupted' : 'the case never reported: its worker ended early');
}

async function start(
  request: RunRequest,
  briefing: Briefing,
  reporter: ReturnType<typeof eventStream>['reporter'],
  signal: AbortSignal,
): Promise<Vitest> {
  const files = [...new Set(briefing.cases.map(({ file }) => file))];
  let vitest: Vitest | undefined;
  const cancel = (): void => void vitest?.cancelCurrentRun('keyboard-input');
  const own = new Set(listenersToSignals().map(([, listener]) => listener));
  const onInit = (created: Vitest): void => {
    vitest = created;
    // vitest ends the process at once on a signal, but there are reports to write first
    for (const [name, listener] of listenersToSignals()) if (!own.has(listener)) process.off(name, listener);
  };
  signal.addEventListener('abort', cancel);
  const temporary = process.env['TMPDIR'];
  process.env['TMPDIR'] = await makeTemporary(briefing.runDir);
  try {
    return await startVitest(
      'test',
      [],
      {
        root: packageRoot,
        config: false,
        include: files,
        exclude: [],
        watch: false,
        pool: 'forks',
        isolate: false,
        maxWorkers: request.jobs,
        fileParallelism: true,
        bail: request.bail,
        passWithNoTests: true,
        reporters: [{ onInit, ...reporter }],
        sequence: { sequencer: byMachine(briefing.cases) },
        server: { deps: { external: [externalCode] } },
        provide: { cxlrig: briefing },
        teardownTimeout: GRACE_MS,
      },
      { plugins: [scenarioPlugin()], logLevel: 'silent', cacheDir: join(briefing.runDir, ENGINE) },
    );
  } catch (error) {
    throw new RigError('host', `the test engine did not start: ${String(error)}`, undefined, [], {
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', cancel);
    if (temporary === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = temporary;
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type Listener = (...args: unknown[]) => void;

function listenersToSignals(): (readonly [(typeof SIGNALS)[number], Listener])[] {
  return SIGNALS.flatMap((name) =>
    process.rawListeners(name).map((listener) => [name, listener as Listener] as const),
  );
}

/**
 * Scenario files that use the same machine follow one another, so that a worker's guest can be used again. Those that
 * may turn out to be skipped come after all that surely run: the first lines of a run are to be verdicts.
 */
function byMachine(cases: readonly PlannedCase[]): typeof BaseSequencer {
  const places = new Map(
    cases.map(({ file, machine, maySkip }) => [file, `${maySkip ? 1 : 0} ${machine.name}`]),
  );
  return class extends BaseSequencer {
    override sort(specs: TestSpecification[]): Promise<TestSpecification[]> {
      const key = ({ moduleId }: TestSpecification): string => `${places.get(moduleId) ?? ''} ${moduleId}`;
      return Promise.resolve([...specs].sort((a, b) => key(a).localeCompare(key(b))));
    }
  };
}

async function close(vitest: Vitest, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) return vitest.close();
  await Promise.race([vitest.close(), new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref())]);
}

/** vitest's own temporary files: in the run's folder, as those of a run that is killed are found only there. */
async function makeTemporary(runDir: string): Promise<string> {
  const dir = join(runDir, ENGINE, 'tmp');
  await mkdir(dir, { recursive: true });
  return dir;
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
