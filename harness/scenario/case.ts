import type { SourcePosition } from '../base/document/diagnostic.js';
import type { MachinePlan } from '../topology/plan.js';
import type { Requirement, KnownBug, StepDocument } from './language/language.js';

export type { SourcePosition } from '../base/document/diagnostic.js';

/** A step of an expanded case, with its place in the file. */
export interface Step {
  readonly document: StepDocument;
  readonly position: SourcePosition;
  /** where a part of the step stands: `at('expect', 'memory', 0, 'state')`; the nearest enclosing place if the part has none */
  at(...path: readonly (string | number)[]): SourcePosition;
  /** steps of `repeat`, and branches of `parallel`, in order */
  readonly branches: readonly (readonly Step[])[];
}

/** One case: a scenario with one row of its matrix put in. */
export interface ScenarioCase {
  /** stable over runs: path of the scenario below scenarios/ without .yaml, plus the matrix values: `current/kmem [policy=online]` */
  readonly id: string;
  readonly scenario: string;
  /** what it says, in a sentence: the document's `name` */
  readonly title: string;
  readonly description: string;
  readonly references: readonly string[];
  readonly file: string;
  /** the document as this case has it: its values put in, steps of other cases left out. Absent: it is a test in TypeScript */
  readonly document?: Readonly<Record<string, unknown>>;
  readonly position: SourcePosition;
  /** matrix and case-row values of this case, in the order of the file */
  readonly values: Readonly<Record<string, unknown>>;
  /** path or name, as written, which the run resolves; or the machine that the scenario itself describes */
  readonly topology: string | MachinePlan;
  readonly boot: 'any' | 'fresh' | 'cold';
  readonly cmdline: readonly string[];
  readonly requires: readonly Requirement[];
  readonly knownBugs: readonly KnownBug[];
  readonly allowSplats: readonly string[];
  readonly timeoutMs: number;
  readonly steps: readonly Step[];
  readonly cleanup: readonly Step[];
  readonly leavesNoTrace: boolean;
}
