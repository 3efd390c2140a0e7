import { expect, test } from 'vitest';

/** A row of the fault table: something goes wrong, and what cxlrig makes of it. */
export interface Fault {
  readonly fault: string;
  /** what goes wrong stands in the guest, or in the rig around it */
  readonly in: 'guest' | 'rig';
  /** the case's verdict, or what the command as a whole comes to */
  readonly outcome: Outcome;
  /** found in what the user is told */
  readonly says: RegExp;
  /** the case ends so long after its first step began, or the command after the fault, at the latest */
  readonly withinSeconds: number;
  /** why a row is tested otherwise than by the fault itself */
  readonly remark?: string;
}

export type Outcome =
  | 'pass'
  | 'fail'
  | 'infra'
  | 'refused (exit 2)'
  | 'refused (exit 3)'
  | 'interrupted (exit 130)'
  | 'the next run passes';

/** What came of a fault. */
export interface Consequence {
  readonly outcome: Outcome;
  readonly told: string;
  readonly seconds: number;
  /** processes and files that must not be there any more */
  readonly left: readonly string[];
}

declare module 'vitest' {
  interface TaskMeta {
    fault?: Fault & { readonly seconds?: number };
  }
}

/** A test of a row. scripts/faults makes the table of what these tests leave in vitest's report. */
export function faultTest(row: Fault, provoke: () => Promise<Consequence>): void {
  test(`${row.fault}: ${row.outcome}, within ${row.withinSeconds} s`, async (context) => {
    context.task.meta.fault = row;
    const { outcome, told, seconds, left } = await provoke();
    context.task.meta.fault = { ...row, seconds };
    expect(told).toMatch(row.says);
    expect(outcome).toBe(row.outcome);
    expect(left).toEqual([]);
    expect(seconds).toBeLessThan(row.withinSeconds);
  });
}
