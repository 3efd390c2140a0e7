import type { MachinePlan } from '../topology/index.js';
import type { Scheduled } from './schedule.js';

/** A case on a kernel: the unit that gets a verdict. Plain data, so that it can be sent to a worker. */
export interface PlannedCase extends Scheduled {
  /** unique in the run; what people see: the case's id, with ` @kernel` when the run has several */
  readonly key: string;
  readonly caseId: string;
  readonly file: string;
  readonly machine: MachinePlan;
  /** folder of its artifacts, relative to the run's folder */
  readonly artifacts: string;
  /** expectedMs is what it took in an earlier run */
  readonly isTimed: boolean;
  /** one of several runs of a case: its number, from 1, and what the case is apart from that */
  readonly turn?: { readonly number: number; readonly of: Pick<PlannedCase, 'key' | 'artifacts'> };
}
