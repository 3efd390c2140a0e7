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
        // Real guests, real downloads, real builds. Two files at a time: one alone leaves a core idle most of the time,
        // and more would be noise to those that measure time.
        test: {
          name: 'guest',
          include: ['harness/**/*.guest.test.ts'],
          maxWorkers: 2,
          testTimeout: 600 * SECOND,
          hookTimeout: 600 * SECOND,
        },
      },
    ],
  },
});
