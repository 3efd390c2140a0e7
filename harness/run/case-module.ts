import { test, type TestContext } from 'vitest';
import { runAttempts } from './attempts.js';
import { atWork, scenarioCaseOf, tell, type AtWork } from './at-work.js';
import { recordedEvents } from './case-events.js';
import type { ScenarioCase } from '../scenario/index.js';

/** Beyond the case's own time: booting, reading the state, ending a guest. */
const AROUND_A_CASE_MS = 180_000;

/** The first, one in a fresh guest, and one for evidence. */
const MORE_ATTEMPTS = 3;

/** Defines a vitest test for the case that the worker is at. */
export async function defineCase(): Promise<void> {
  const work = atWork();
  const { planned, briefing } = work;
  const scenarioCase = await scenarioCaseOf(planned);
  const { slowness = 1 } =
    briefing.bootables.find(({ kernel }) => kernel.profile === planned.kernel)?.kernel ?? {};
  const timeout =
    briefing.keepOnFailure || briefing.gdb
      ? 0
      : (scenarioCase.timeoutMs + AROUND_A_CASE_MS) * slowness * (briefing.retries + MORE_ATTEMPTS);
  test(planned.key, { timeout }, (context) => runAsTest(work, scenarioCase, context));
}

async function runAsTest(
  { planned, briefing, pool }: AtWork,
  scenarioCase: ScenarioCase,
  context: TestContext,
): Promise<void> {
  const events = recordedEvents(briefing.runDir, planned, (event) => tell({ type: 'event', event }));
  const trace = await runAttempts({ planned, scenarioCase, briefing, pool, emit: events.emit });
  events.close();
  tell({ type: 'traced', held: pool.held() });
  switch (trace.verdict) {
    case 'pass':
    case 'known-bug':
    case 'fixed':
      return;
    case 'skip':
      return context.skip(trace.reason);
    case 'fail':
    case 'infra':
      throw new Error(trace.reason ?? trace.verdict);
  }
}
