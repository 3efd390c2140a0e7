import type { Accelerator } from '../guest/index.js';

export interface SetupOptions {
  /** profile of tests that name no kernel; stock when absent. It is ready before the first test begins. */
  readonly kernel?: string;
  /** folder that gets the run's folder; `.cxlrig/runs` below vitest's root when absent */
  readonly out?: string;
  readonly accelerator?: Accelerator;
  /** Debian mirror to fetch kernels and packages from */
  readonly mirror?: string;
}

/** In vitest's `test.env`, which its main process reads as well: the options as JSON. */
export const SETUP_OPTIONS = 'CXLRIG_VITEST';

/** What the process that runs vitest tells its workers of the run: plain data. */
export interface SharedRun {
  /** the run's folder, absolute */
  readonly runDir: string;
  readonly accelerator: Accelerator;
  readonly qemuVersion: string;
  /** profile of tests that name no kernel */
  readonly kernel: string;
  readonly mirror?: string;
}

/** The key by which `provide` and `inject` know it. */
export const SHARED_RUN = 'cxlrigRun';

declare module 'vitest' {
  export interface ProvidedContext {
    [SHARED_RUN]: SharedRun;
  }
}

/** Within a run's folder, while it goes on: the kernels that its workers have used, a file each. */
export const KERNELS_USED = '.kernels';
