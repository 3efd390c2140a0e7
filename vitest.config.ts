import { defineConfig } from 'vitest/config';

const SECOND = 1000;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['harness/**/*.test.ts'],
          exclude: ['**/*.guest.test.ts', '**/*.browser.test.ts'],
          testTimeout: 20 * SECOND,
        },
      },
      {
        // the report page in Debian's chromium
        test: {
          name: 'browser',
          include: ['harness/**/*.browser.test.ts'],
          testTimeout: 60 * SECOND,
          hookTimeout: 120 * SECOND,
        },
      },
      {
        // real guests, real downloads, real builds: each of them keeps a core busy for seconds
        test: {
          name: 'guest',
          include: ['harness/**/*.guest.test.ts'],
          fileParallelism: false,
          testTimeout: 600 * SECOND,
          hookTimeout: 600 * SECOND,
        },
      },
    ],
  },
});
