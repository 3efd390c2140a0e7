import type { Accelerator } from '../guest/index.js';
import type { ResolvedKernel } from '../kernel/index.js';
import type { ToolsIdentity } from '../trace/trace.js';

/** A kernel with the initramfs made for it: what a guest boots. */
export interface Bootable {
  readonly kernel: ResolvedKernel;
  readonly initramfs: string;
  /** which cxl, daxctl and ndctl it has */
  readonly tools: ToolsIdentity;
}

/** What a worker must know of the run, whatever its cases are: plain data only. */
export interface Briefing {
  readonly runDir: string;
  readonly bootables: readonly Bootable[];
  readonly accelerator: Accelerator;
  readonly qemuVersion: string;
  readonly keepOnFailure: boolean;
  /** how often a failed case is tried again */
  readonly retries: number;
  /** a failed case is run once more to see why */
  readonly evidence: boolean;
  /** a debugger gets the guest: before the step of this id, or after the one that failed */
  readonly gdb?: { readonly step?: string };
}
