import type { Progress } from '../base/progress.js';
import type { ImageAdditions } from '../image/index.js';
import type { Profile } from '../kernel/index.js';
import type { Shard } from './shard.js';

/** What the user asked a run for; the command line turned into plain values. */
export interface RunRequest {
  /** scenario files, folders or names below scenarios/; empty: all that are shipped */
  readonly scenarios: readonly string[];
  /** only cases whose id matches */
  readonly pattern?: RegExp;
  /** as chooseProfiles gives them, no two of one name; every case runs on each */
  readonly kernels: readonly Profile[];
  /** run on this topology instead of the scenario's own */
  readonly topology?: string;
  readonly jobs: number;
  readonly retries: number;
  /** run each case so many times; with untilFail, only until one fails */
  readonly repeat?: { readonly times: number; readonly untilFail: boolean };
  /** only cases of which earlier runs below `out` say so */
  readonly only?: 'last-failed' | 'changed';
  /** stop after so many failures; 0: never */
  readonly bail: number;
  /** the index-th (from 1) of count parts of the cases */
  readonly shard?: Shard;
  /** run a failed case once more, with debug messages and calls of the kernel recorded */
  readonly evidence?: boolean;
  /** stop the guest for a debugger: before the step of this id, or after the one that failed */
  readonly gdb?: { readonly step?: string };
  /** boot every guest, resume none */
  readonly cold?: boolean;
  readonly keepOnFailure: boolean;
  readonly accelerator?: 'tcg' | 'kvm';
  readonly mirror?: string;
  /** what the guests have beside the recipe's */
  readonly additions?: ImageAdditions;
  /** folder that gets the run's folder; must be writable */
  readonly out: string;
  readonly command: readonly string[];
  readonly progress: Progress;
}
