import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vitest/config';
import { SETUP_OPTIONS, type SetupOptions } from './shared.js';

/**
 * Makes the tests of a vitest project able to use guests: `plugins: [cxlrig()]` in vitest.config.ts, then
 * `import { test } from 'cxlrig/vitest'` in the tests. One run of vitest is one run of cxlrig, with its folder and reports.
 */
export function cxlrig(options: SetupOptions = {}): Plugin {
  return {
    name: 'cxlrig',
    config: () => ({
      test: {
        globalSetup: [fileURLToPath(import.meta.resolve('./setup.js'))],
        // a guest ends with the process that started it
        pool: 'forks' as const,
        // the case has its own time; this is beyond it: to boot, to build a kernel
        testTimeout: TEST_TIMEOUT_MS,
        hookTimeout: TEST_TIMEOUT_MS,
        includeTaskLocation: true,
        env: { [SETUP_OPTIONS]: JSON.stringify(options) },
      },
    }),
  };
}

const TEST_TIMEOUT_MS = 60 * 60_000;
