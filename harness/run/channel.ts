import type { RunEvent } from '../trace/trace.js';
import type { Briefing } from './briefing.js';
import type { HeldMachine } from './machine-group.js';
import type { PlannedCase } from './planned-case.js';

/** What the run tells a worker, over the IPC channel that it is forked with. */
export type ToWorker =
  /** once, before anything else */
  | { readonly type: 'briefing'; readonly briefing: Briefing }
  /** the case that is behind the module that vitest asks for next */
  | { readonly type: 'case'; readonly planned: PlannedCase }
  /** the case that comes next: its guest can be made ready while the worker is at the other */
  | { readonly type: 'ahead'; readonly planned: PlannedCase }
  | { readonly type: 'vitest'; readonly message: unknown };

/** What a worker tells the run. */
export type FromWorker =
  | { readonly type: 'event'; readonly event: RunEvent }
  /** the case's trace is on disk, and this is the guest that is at hand now */
  | { readonly type: 'traced'; readonly held: HeldMachine | undefined }
  | { readonly type: 'vitest'; readonly message: unknown };
