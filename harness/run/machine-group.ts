import type { ScenarioCase, Step } from '../scenario/index.js';
import type { MachinePlan } from '../topology/index.js';

/** What a case needs of a guest: cases that need the same are a group, and a guest can serve all of a group. */
export interface MachineNeed {
  /** the profile's name */
  readonly kernel: string;
  /** equal for guests that are the same machine apart from the kernel: topology and kernel command line */
  readonly machineKey: string;
  /** why the guest must be booted and not resumed; absent where a resumed one will do */
  readonly coldReason?: string;
  /** the guest serves no other case */
  readonly isOwn: boolean;
}

/** A guest that a worker holds, as far as it decides which cases it can serve. */
export interface HeldMachine {
  readonly kernel: string;
  readonly machineKey: string;
  readonly isCold: boolean;
  /** no case has done anything in it */
  readonly isUnused: boolean;
}

/** What the case needs. (What speaks against resuming a guest of its kind at all, `startGuest` knows.) */
export function needOf(
  scenarioCase: ScenarioCase,
  kernel: string,
  machine: Pick<MachinePlan, 'id' | 'cpus'>,
  { cold }: { readonly cold: boolean },
): MachineNeed {
  const coldReason = whyCold(scenarioCase, machine, cold);
  return {
    kernel,
    machineKey: JSON.stringify([machine.id, scenarioCase.cmdline]),
    ...(coldReason !== undefined && { coldReason }),
    isOwn: cold || scenarioCase.boot !== 'any',
  };
}

/** Equal for the cases of a group. A case with a guest of its own is a group of one, and has no such key. */
export function groupKey({ kernel, machineKey, coldReason }: MachineNeed): string {
  return JSON.stringify([kernel, machineKey, coldReason !== undefined]);
}

/** Whether the guest can serve the case. */
export function fits(need: MachineNeed, held: HeldMachine): boolean {
  return (
    need.kernel === held.kernel &&
    need.machineKey === held.machineKey &&
    (need.coldReason === undefined || held.isCold) &&
    (!need.isOwn || held.isUnused)
  );
}

/**
 * What a resumed guest can't offer. It has seen no devices while it booted, so that what a kernel does with them then is
 * not seen in it; its CPUs take turns, so that two writers never run at the same instant.
 */
function whyCold(
  { boot, cmdline, steps, cleanup }: ScenarioCase,
  { cpus }: Pick<MachinePlan, 'cpus'>,
  cold: boolean,
): string | undefined {
  if (cold) return 'asked for by --cold';
  if (boot === 'cold') return 'the scenario says boot: cold';
  if (cmdline.length > 0) return `the scenario has a kernel command line of its own: ${cmdline.join(' ')}`;
  if (cpus > 1 && [...steps, ...cleanup].some(isParallel)) {
    return 'it has steps in parallel, and the CPUs of a resumed guest take turns';
  }
  return undefined;
}

function isParallel({ document, branches }: Step): boolean {
  return 'parallel' in document || branches.some((branch) => branch.some(isParallel));
}
