import { cxlrig } from 'cxlrig/vitest/plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [cxlrig()],
  test: { include: ['*.test.ts'], maxWorkers: 2 },
});
