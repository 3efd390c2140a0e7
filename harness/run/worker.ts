import { inject, test, type TestContext } from 'vitest';
import { RigError } from '../base/errors.js';
import type { CaseTrace, RunEvent } from '../report/trace.js';
import { loadScenario, type ScenarioCase } from '../scenario/index.js';
import { EVENT_ANNOTATION, type Briefing } from './briefing.js';
import { runAttempts } from './attempts.js';
import { guestPool } from './guest-pool.js';
import type { PlannedCase } from './plan.js';

// The run is gone, whatever killed it: this worker, and by it the guest, must not outlive it.
process.once('disconnect', () => process.exit(1));

/** Beyond the case's own time: booting, reading the state, ending a guest. */
const AROUND_A_CASE_MS = 180_000;

/** Defines a vitest test for each planned case of a scenario file. Called by the module that the plugin makes of it. */
export async function defineCases(file: string): Promise<void> {
  const briefing = inject('cxlrig');
  const planned = briefing.cases.filter((entry) => entry.file === file);
  const { cases } = await loadScenario(file);
  for (const entry of planned) {
    const scenarioCase = cases.find(({ id }) => id === entry.caseId);
    if (!scenarioCase)
      throw new RigError('host', `${file} changed while the run was starting`, 'start the run again');
    const { slowness = 1 } =
      briefing.bootables.find(({ kernel }) => kernel.profile === entry.kernel)?.kernel ?? {};
    const timeout = briefing.keepOnFailure
      ? 0
      : (scenarioCase.timeoutMs + AROUND_A_CASE_MS) * slowness * (briefing.retries + 2);
    test(entry.key, { timeout }, (context) => runAsTest(entry, scenarioCase, briefing, context));
  }
}

async function runAsTest(
  planned: PlannedCase,
  scenarioCase: ScenarioCase,
  briefing: Briefing,
  context: TestContext,
): Promise<void> {
  const tell = (event: RunEvent): void => {
    // vitest keeps what it is told until the run ends; what was typed, and what came of it, is in the trace
    if (event.type === 'line' || event.type === 'step-ended') return;
    void context.annotate(JSON.stringify(event), EVENT_ANNOTATION);
  };
  const trace = await runAttempts({
    planned,
    scenarioCase,
    briefing,
    pool: guestPool(briefing),
    emit: tell,
  });
  switch (trace.verdict) {
    case 'pass':
    case 'known-bug':
    case 'fixed':
      return;
    case 'skip':
      return context.skip(trace.reason);
    case 'fail':
    case 'infra':
      throw asTestError(trace);
  }
}

/** An error whose stack is the place in the YAML: vitest's code frame and CI annotations then show the scenario's line. */
function asTestError(trace: CaseTrace): Error {
  const error = new Error(trace.reason ?? trace.verdict);
  error.name = trace.verdict;
  const { file, line, column } = trace.failure?.position ?? trace.case.position;
  error.stack = `${error.name}: ${error.message}\n    at ${trace.case.scenario.replace(/[()\n]/g, ' ')} (${file}:${line}:${column})`;
  return error;
}
