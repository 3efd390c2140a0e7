import type { z } from 'zod';
import type { KernelLogRecord, State } from '../../abi/index.js';
import type { MachinePlan } from '../../topology/plan.js';
import type { Mismatch } from '../steps/outcome.js';
import type { AddressRange } from '../steps/select.js';

/** All that the harness knows of a clause of `expect`: one file each, listed in index.ts. */
export interface Clause<Schema extends z.ZodObject = z.ZodObject> {
  /** what may be written, with a description of each key that does not say it by its name */
  readonly schema: Schema;
  /** the keys by which it selects what it speaks about; the others are what it expects */
  readonly selectors: readonly (keyof z.output<Schema> & string)[];
  /** the key that takes a CXL region */
  readonly regionKey?: keyof z.output<Schema> & string;
  /** the key that takes a device of the topology, or a list of them */
  readonly deviceKey?: keyof z.output<Schema> & string;
  /** it expects something even where it only selects */
  readonly expectsByItself?: true;
  /** what can't be meant, beyond what the schema refuses */
  readonly faults?: (
    clause: z.output<Schema>,
  ) => readonly { readonly key: string; readonly message: string }[];
  /** what it has to know that no snapshot holds; `misses` finds the answers */
  readonly asks?: (clause: z.output<Schema>, world: Pick<World, 'state' | 'kernelPath'>) => Question[];
  /** what does not hold; empty: all of it does. Its captures are put in. */
  readonly misses: (clause: z.output<Schema>, world: World) => Miss[];
  /**
   * the same for `repro.sh`: lines for busybox sh, with the functions of its prelude. Absent, or empty for what sh can't
   * look at: the script says that it does not.
   */
  readonly checks?: (clause: Written, machine: MachinePlan) => Check[];
  /** functions of the prelude that only these lines call */
  readonly functions?: string;
}

export function defineClause<Schema extends z.ZodObject>(clause: Clause<Schema>): Clause<Schema> {
  return clause;
}

/** sh that succeeds when there is such a thing, and then prints an empty line and what is known of it. */
export type Question = string;

/** What clauses are held against. */
export interface World {
  readonly state: State;
  /** of the kernel, since the case began */
  readonly log: readonly KernelLogRecord[];
  /** where regions lie, or lay before they went */
  readonly ranges: ReadonlyMap<string, AddressRange>;
  readonly driverName: (name: string) => string;
  /** a path as this kernel calls it */
  readonly kernelPath: (path: string) => string;
  /** the topology device with a serial number */
  readonly idOf: (serial: number) => string | undefined;
  /** the memdev of a topology device */
  readonly memdevOf: (id: string) => string | undefined;
  /** undefined: there is no such thing, or nobody asked */
  readonly answer: (question: Question) => string | undefined;
}

export interface Miss extends Mismatch {
  readonly subject: string;
}

/** A clause as a trace holds it. */
export type Written = Readonly<Record<string, unknown>>;

/** `command` prints what must be one of `want` (`|` between). */
export interface Check {
  readonly what: string;
  readonly want: string;
  readonly command: string;
}
