import type { PlannedCase } from '../planned-case.js';

let number = 0;

/** A case of a plan, of which only what is given matters. */
export function plannedCase(changes: Partial<PlannedCase> = {}): PlannedCase {
  number += 1;
  const caseId = changes.caseId ?? `case-${number}`;
  const kernel = changes.kernel ?? 'stock';
  return {
    key: `${caseId} @${kernel}`,
    caseId,
    file: '/scenarios/a.yaml',
    kernel,
    machine: {
      name: 'one',
      id: 'one',
      qemuArgs: [],
      memoryBytes: 2 ** 30,
      cpus: 1,
      hostBridges: [],
      switches: [],
      ports: [],
      devices: [],
      windows: [],
      freePorts: [],
    },
    machineKey: 'one',
    isOwn: false,
    expectedMs: 1000,
    maySkip: false,
    isTimed: false,
    artifacts: `cases/${caseId}-${kernel}`,
    ...changes,
  };
}
