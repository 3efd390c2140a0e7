import type { ScenarioCase, Step } from '../scenario/index.js';
import type { Briefing } from './briefing.js';
import type { PlannedCase } from './plan.js';

/**
 * Why a case needs a guest that was booted and not resumed: what a resumed one can't offer. It has seen no devices while it
 * booted, so that what a kernel does with them then is not seen in it; its CPUs take turns, so that two writers never
 * run at the same instant. (What speaks against a guest of its kind at all, `startGuest` knows.)
 * @returns undefined when a resumed guest will do
 */
export function coldReason(
  { boot, cmdline, steps, cleanup }: ScenarioCase,
  { machine }: PlannedCase,
  briefing: Pick<Briefing, 'cold'>,
): string | undefined {
  if (briefing.cold) return 'asked for by --cold';
  if (boot === 'cold') return 'the scenario says boot: cold';
  if (cmdline.length > 0) return `the scenario has a kernel command line of its own: ${cmdline.join(' ')}`;
  if (machine.cpus > 1 && [...steps, ...cleanup].some(isParallel)) {
    return 'it has steps in parallel, and the CPUs of a resumed guest take turns';
  }
  return undefined;
}

function isParallel({ document, branches }: Step): boolean {
  return 'parallel' in document || branches.some((branch) => branch.some(isParallel));
}
