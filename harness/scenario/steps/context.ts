import type { KernelLogRecord, State } from '../../abi/index.js';
import type { CutShort, RunningGuest } from '../../guest/guest.js';
import type { RunEvent, SplatRecord, StepFailure } from '../../trace/trace.js';
import type { MachinePlan, PlannedDevice } from '../../topology/plan.js';
import type { MemdevCapture } from './memdev-parts.js';
import type { RegionCapture } from './region-parts.js';
import type { AddressRange } from './select.js';
import type { SourcePosition } from '../../base/document/diagnostic.js';

/** What the steps of a case need to know and to tell. */
export interface StepsContext {
  readonly guest: RunningGuest;
  readonly plan: MachinePlan;
  /** what makes values up that must be unique, and the same on each kernel: the case's id */
  readonly seed?: string;
  /** each step tells which functions of the kernel its writes called: `beginRecordingCalls` was there */
  readonly recordsCalls?: boolean;
  /** called when a step is about to begin, and waited for */
  readonly beforeStep?: (id: string) => Promise<void>;
  /** the kernel profile's names of drivers which differ between kernels: `sysram_region` -> `cxl_sysram_region` */
  readonly abi: Readonly<Record<string, string>>;
  /** the state before the first step: `boot` in `same-as` */
  readonly initialState: State;
  readonly emit: (event: RunEvent) => void;
  /** puts a file of the guest among the case's artifacts, unless it has had enough of them */
  readonly keepFile: (path: string, content: Buffer) => Promise<boolean>;
  /** finds splats in text of the kernel log */
  readonly findSplats: (log: string) => readonly Omit<SplatRecord, 'allowed'>[];
  /** regular expressions on titles of splats that are no failure anywhere in this case */
  readonly allowSplats: readonly string[];
  /** when the case must have ended, as performance.now() tells it: setting the host's clock changes no deadline */
  readonly deadline: number;
  /** times as long as others the kernel takes: every wait is multiplied by it; absent: 1 */
  readonly slowness?: number;
}

/** What a `${name}` stands for: a region and a memdev can be asked for their parts, everything else is a plain value. */
export type Capture =
  RegionCapture | MemdevCapture | { readonly kind: 'value'; readonly value: string | number };

/** What carrying a step out takes of it besides its body. */
export interface PlacedStep {
  readonly document: { readonly timeout?: string | undefined };
  readonly position: SourcePosition;
}

/** What a step did that is undone when the case is over. */
export type Deed =
  | { readonly kind: 'set'; readonly path: string; readonly before: string; readonly step: PlacedStep }
  | { readonly kind: 'region'; region: RegionCapture; readonly step: PlacedStep };

/** What the steps of one case share and change. Made by `openSteps`. */
export interface StepSession {
  readonly context: StepsContext;
  /** the newest snapshot */
  state: State;
  /** nothing was done in the guest since that snapshot */
  isFresh: boolean;
  /** the kernel was started by another */
  isKexeced: boolean;
  readonly captures: Map<string, Capture>;
  readonly snapshots: Map<string, State>;
  /** where regions are or were, by name: their memory blocks can outlive them */
  readonly ranges: Map<string, AddressRange>;
  /** parts of captured regions and memdevs as they were last: `r.dax` -> `dax0.0` */
  readonly lastKnown: Map<string, string | number>;
  /** devices of hot-add steps, by id */
  readonly hotDevices: Map<string, PlannedDevice>;
  /** what is undone when the case is over, oldest first */
  readonly done: Set<Deed>;
  hotAdds: number;
  /** the kernel log since the case began */
  readonly log: KernelLogRecord[];
  /** sequence number of the newest record of the kernel log that was read */
  lastRecord: number;
  /** records that came since the last step's end */
  newRecords: KernelLogRecord[];
  /** trace events that were set going for expectations */
  tracedEvents: readonly string[];
  /** what a step said that it lacks: no further ones are run, but those that clean up */
  lacking: string | undefined;
  /** what makes further steps pointless: the guest is dead or stuck */
  broken: StepFailure | undefined;
}

/** Polling for what the kernel does by itself: quick at first, as most of it takes some 10 ms, then less of a load. */
export const POLL_FIRST_MS = 20;
export const POLL_MOST_MS = 100;

/** How long a step waits for something when it does not say. */
export const DEFAULT_WITHIN_MS = 10_000;

/** How long the lines of a step may take when it does not say. */
export const DEFAULT_STEP_MS = 30_000;

/** How long a snapshot may take, which takes some 100 ms: more than this is a guest whose sysfs is stuck. */
export const SNAPSHOT_MS = 30_000;

/** As long on this kernel as so many milliseconds on others: what a scenario says is meant for those. */
export function onThisKernel({ slowness = 1 }: StepsContext, milliseconds: number): number {
  return milliseconds * slowness;
}

/** Whose a deadline is that a step has from outside: that of a step around it, or of the whole case. */
export function ownerOf(deadline: number, { deadline: ofCase }: StepsContext): CutShort['of'] {
  return deadline < ofCase ? 'step' : 'case';
}
