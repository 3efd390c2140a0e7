import type { DocumentPath } from '../../base/document/yaml.js';
import type { MachinePlan } from '../../topology/plan.js';
import { parseDuration } from '../language/duration.js';
import type { KnownBug, Requirement, StepDocument } from '../language/language.js';
import type { CaseKnowledge, Fault } from './case-knowledge.js';
import { faultsOfStep } from './step-rules.js';
import { intersection, isEmptyRange, parseRange, type VersionRange } from '../language/versions.js';

/** What can be said of a case with certainty before anything boots, beyond the form of its values. */

/** The validated parts of a case; what did not pass validation is absent. */
export interface CaseParts {
  readonly requires: readonly Requirement[];
  readonly knownBugs: readonly KnownBug[];
  readonly timeoutMs: number;
  readonly steps: readonly PlacedStep[];
  readonly cleanup: readonly PlacedStep[];
}

export interface PlacedStep {
  readonly document: StepDocument;
  readonly path: DocumentPath;
}

/** @param plan the case's topology; absent when it could not be loaded, which is told elsewhere */
export function faultsOfCase(parts: CaseParts, plan: MachinePlan | undefined): Fault[] {
  const knowledge: CaseKnowledge = {
    plan,
    timeoutMs: parts.timeoutMs,
    hotDevices: new Set(),
    snapshots: new Set(),
    captures: new Set(),
    turns: 1,
  };
  return [
    ...faultsOfRanges(parts),
    ...[...parts.steps, ...parts.cleanup].flatMap(({ document, path }) =>
      faultsOfStep(document, knowledge).map((fault) => ({ ...fault, path: [...path, ...fault.path] })),
    ),
  ];
}

/** The longest time that a case may take when it says nothing. */
export const DEFAULT_TIMEOUT_MS = 120_000;

export function timeoutOf(timeout: unknown): number {
  return (typeof timeout === 'string' ? parseDuration(timeout) : undefined) ?? DEFAULT_TIMEOUT_MS;
}

/** What is wrong with a topology as it is named, apart from whether it is there. */
export function faultOfTopologyName(name: string): { message: string; hint?: string } | undefined {
  if (!name.includes('/') || /\.ya?ml$/.test(name)) return undefined;
  return {
    message: `${JSON.stringify(name)} is not the path of a topology`,
    hint: 'a path ends in .yaml; a name has no slash',
  };
}

/** Version ranges in which no version lies, or none that both sides mean. */
export function faultsOfRanges({ requires, knownBugs }: Pick<CaseParts, 'requires' | 'knownBugs'>): Fault[] {
  const found: Fault[] = [];
  const kernels: VersionRange[] = [];
  for (const [index, { kernel, qemu }] of requires.entries()) {
    for (const [key, text] of Object.entries({ kernel, qemu })) {
      const range = text === undefined ? undefined : parseRange(text);
      if (!range) continue;
      if (isEmptyRange(range)) {
        found.push({ path: ['requires', index, key], message: `no version lies in the range ${text ?? ''}` });
      } else if (key === 'kernel') kernels.push(range);
    }
  }
  for (const [index, bug] of knownBugs.entries()) {
    const range = bug.kernel === undefined ? undefined : parseRange(bug.kernel);
    if (!range) continue;
    if (isEmptyRange(range)) {
      found.push({
        path: ['known-bugs', index, 'kernel'],
        message: `no version lies in the range ${bug.kernel ?? ''}`,
      });
    } else if (kernels.some((required) => isEmptyRange(intersection(range, required)))) {
      found.push({
        path: ['known-bugs', index, 'kernel'],
        message: 'this known bug has no effect: `requires` rules out every kernel that has it',
      });
    }
  }
  return found;
}
