import { RigError } from '../base/errors.js';
import { loadScenario, type ScenarioCase } from '../scenario/index.js';
import type { Briefing } from './briefing.js';
import type { FromWorker } from './channel.js';
import { makeGuestPool, type GuestPool } from './guest-pool.js';
import type { PlannedCase } from './planned-case.js';

/** What a worker process knows: the run it belongs to, the case it is at, the guest it holds. */
export interface AtWork {
  readonly briefing: Briefing;
  readonly pool: GuestPool;
  readonly planned: PlannedCase;
}

const send = process.send?.bind(process);

let run: Pick<AtWork, 'briefing' | 'pool'> | undefined;
let current: PlannedCase | undefined;

export function brief(briefing: Briefing): void {
  run = { briefing, pool: makeGuestPool(briefing) };
}

export function assign(planned: PlannedCase): void {
  current = planned;
}

/** Makes the guest ready for a case after the current one. That it can't be is told when its turn comes. */
export async function lookAhead(planned: PlannedCase): Promise<void> {
  const scenarioCase = await scenarioCaseOf(planned).catch(() => undefined);
  if (scenarioCase) run?.pool.prepare(planned, scenarioCase);
}

export function atWork(): AtWork {
  if (!run || !current) throw new Error('the worker was asked for a case before it was given one');
  return { ...run, planned: current };
}

/** To the run; nothing when it is gone. */
export function tell(message: FromWorker): void {
  if (process.connected) send?.(message);
}

/** The scenarios that this worker has read: cases of one are next to one another. */
const loaded = new Map<string, readonly ScenarioCase[]>();

/** @throws RigError when it is not in its file any more */
export async function scenarioCaseOf({ file, caseId }: PlannedCase): Promise<ScenarioCase> {
  const cases = loaded.get(file) ?? (await loadScenario(file)).cases;
  loaded.set(file, cases);
  const found = cases.find(({ id }) => id === caseId);
  if (!found) throw new RigError('host', `${file} changed while the run was starting`, 'start the run again');
  return found;
}
