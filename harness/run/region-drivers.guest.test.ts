import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { cxlrig, workFolder } from '../testing/command.js';

// The first of these builds a kernel, unless the cache has it; from nothing that takes ten minutes on two cores.
const MINUTE = 60_000;

describe('on the kernel with the region-drivers series', () => {
  test('every scenario of the region drivers passes', { timeout: 60 * MINUTE }, async () => {
    const out = await workFolder();
    const folders = ['dax_region', 'sysram_region', 'pmem_region'];
    const { exitCode, text } = await cxlrig(['run', ...folders, '-k', 'region-drivers', '--out', out], {
      timeout: 60 * MINUTE,
    });
    expect(text).not.toMatch(/^(FAIL|INFRA|skip)/m);
    expect(exitCode).toBe(0);
  });

  test('every scenario of what stock can do passes as on stock', { timeout: 40 * MINUTE }, async () => {
    const out = await workFolder();
    const { exitCode, text } = await cxlrig(['run', 'current', '-k', 'region-drivers', '--out', out]);
    expect(text).not.toMatch(/^(FAIL|INFRA|skip)/m);
    expect(exitCode).toBe(0);
  });

  test(
    'dynamic capacity, on the series on top of it, does what the proposal says',
    { timeout: 60 * MINUTE },
    async () => {
      const out = await workFolder();
      const { exitCode, text } = await cxlrig(
        [
          'run',
          'dynamic_capacity',
          'cxl_cli/dynamic-capacity',
          '-k',
          'dynamic-capacity',
          '--tools',
          'region-driver',
          '--out',
          out,
        ],
        { timeout: 60 * MINUTE },
      );
      expect(text).not.toMatch(/^(FAIL|INFRA|skip)/m);
      expect(exitCode).toBe(0);
    },
  );

  test(
    "what QEMU can't emulate of it, on the mocks of the kernel's own cxl_test",
    { timeout: 60 * MINUTE },
    async () => {
      const out = await workFolder();
      const { exitCode, text } = await cxlrig(
        ['run', 'dynamic_capacity_mocks', '-k', 'dynamic-capacity-testing', '--out', out],
        { timeout: 60 * MINUTE },
      );
      expect(text).not.toMatch(/^(FAIL|INFRA|skip)/m);
      expect(exitCode).toBe(0);
    },
  );

  test('the scenarios fail where the series is broken', { timeout: 60 * MINUTE }, async () => {
    const { exitCode, all } = await execa(join(packageRoot, 'scripts/mutations'), ['--quick'], {
      reject: false,
      all: true,
      stdin: 'ignore',
      timeout: 60 * MINUTE,
    });
    expect(all).toContain('all as declared');
    expect(exitCode).toBe(0);
  });
});
