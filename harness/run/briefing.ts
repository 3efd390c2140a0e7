import type { Accelerator } from '../guest/index.js';
import type { ResolvedKernel } from '../kernel/index.js';
import type { PlannedCase } from './plan.js';

/** A kernel with the initramfs made for it: what a guest boots. */
export interface Bootable {
  readonly kernel: ResolvedKernel;
  readonly initramfs: string;
}

/** What the run tells its workers, through vitest's `provide`: plain data only. */
export interface Briefing {
  readonly runDir: string;
  readonly bootables: readonly Bootable[];
  readonly accelerator: Accelerator;
  readonly qemuVersion: string;
  /** boot every guest, resume none */
  readonly cold: boolean;
  readonly keepOnFailure: boolean;
  /** how often a failed case is tried again */
  readonly retries: number;
  readonly cases: readonly PlannedCase[];
}

declare module 'vitest' {
  export interface ProvidedContext {
    cxlrig: Briefing;
  }
}

/** Annotations of this type carry a RunEvent as JSON from the worker to the run. */
export const EVENT_ANNOTATION = 'cxlrig-event';
