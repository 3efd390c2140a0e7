import type { z } from 'zod';
import type { CaseKnowledge, Fault } from '../load/case-knowledge.js';
import type { StepScope } from '../steps/scope.js';

/** Keys that stand beside a step kind and mean something with some kinds only. */
export const commonKeys = ['fails', 'may-fail', 'timeout', 'loop'] as const;
export type CommonKey = (typeof commonKeys)[number];

/** Of a kind that types lines in the guest: they can be refused, and take time. */
export const OF_LINES: readonly CommonKey[] = ['fails', 'may-fail', 'timeout'];

/** What to write instead of `timeout` on a kind that waits by itself. */
export const WAITS = 'it waits as long as its `within` says';

/** All that the harness knows of a step kind that holds no further steps: one definition each, listed in index.ts. */
export interface StepDefinition<Schema extends z.ZodType = z.ZodType> {
  /** what the key of the kind takes in YAML, with a description and an example */
  readonly schema: Schema;
  /** which of the common keys mean something beside it; `name`, `when` and `allow-splats` stand with every kind */
  readonly honours: readonly CommonKey[];
  /** what to write instead of those that don't */
  readonly instead?: { readonly [K in Exclude<CommonKey, 'may-fail' | 'loop'>]?: string };
  /** its `as` names something for later steps */
  readonly captures?: boolean;
  /** an option that the kernel must have been booted with */
  readonly cmdline?: string;
  /** the kernel that the steps before it ran on is gone after it: no script within the guest goes on from there */
  readonly endsKernel?: true;
  /** what a step of the kind does, in a few words */
  readonly title: (body: z.output<Schema>) => string;
  /** what is certainly wrong with it before anything is booted; paths begin in the body */
  readonly faults?: (body: z.output<Schema>, known: CaseKnowledge) => Fault[];
  /** its captures are put in while it runs, because what is captured may appear meanwhile; else they are before */
  readonly putsInCapturesItself?: true;
  /**
   * carries it out
   * @throws Refusal, Unmet, NothingToDo, and what the guest throws
   */
  readonly run: (body: z.output<Schema>, scope: StepScope) => Promise<void>;
}

export function defineStep<Schema extends z.ZodType>(
  definition: StepDefinition<Schema>,
): StepDefinition<Schema> {
  return definition;
}
