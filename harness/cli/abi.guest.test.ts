import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { abiReportSchema, type AbiReport } from '../report/abi/report.js';
import { cxlrig, workFolder } from '../testing/command.js';

const MINUTE = 60_000;

async function inventoryOf(kernel: string): Promise<{ report: AbiReport; json: string }> {
  const { exitCode, text } = await cxlrig(['abi', '--kernel', kernel, '--format', 'json']);
  expect(exitCode).toBe(0);
  // progress goes to standard error, which is in the same text
  const json = text.slice(text.indexOf('{\n'));
  return { report: abiReportSchema.parse(JSON.parse(json)), json };
}

describe('cxlrig abi', () => {
  test(
    'lists what the stock kernel offers, with where each is documented, and tells saved kernels apart',
    { timeout: 30 * MINUTE },
    async () => {
      const { report, json } = await inventoryOf('stock');
      expect(report.notReached).toEqual([]);
      const of = (path: string): AbiReport['attributes'][number] | undefined =>
        report.attributes.find((attribute) => attribute.path === path);
      expect(of('/sys/bus/cxl/devices/memX/serial')).toMatchObject({
        modes: ['444'],
        example: { value: '0x1' },
        documented: 'testing/sysfs-bus-cxl',
      });
      // only with kmem, with a committed region, with a namespace
      expect(of('/sys/bus/dax/devices/daxX.Y/state')?.documented).toBe('testing/sysfs-bus-dax');
      expect(of('/sys/bus/cxl/devices/regionX/targetX')?.documented).toBe('testing/sysfs-bus-cxl');
      expect(of('/sys/bus/nd/devices/pfnX.Y/namespace')).toBeDefined();
      // documented as $(readlink -f /sys/bus/dax/devices/daxX.Y)/../dax_region/available_size
      expect(of('/sys/bus/cxl/devices/dax_regionX/dax_region/available_size')?.documented).toBe(
        'testing/sysfs-bus-dax',
      );
      expect(of('/sys/devices/system/memory/memoryX/state')?.documented).toBe('testing/sysfs-devices-memory');
      // what other files say of any device's folders is no documentation of everything
      expect(of('/sys/bus/cxl/drivers_autoprobe')).toBeDefined();
      expect(of('/sys/bus/cxl/drivers_autoprobe')?.documented).toBeUndefined();
      // reading it would wait for probing
      expect(of('/sys/bus/nd/devices/ndbusX/wait_probe')?.example).toEqual({
        path: '/sys/bus/nd/devices/ndbus0/wait_probe',
      });

      const dir = await workFolder();
      const saved = join(dir, 'stock.json');
      const less = join(dir, 'less.json');
      await writeFile(saved, json);
      const attributes = report.attributes.filter(({ path }) => !path.endsWith('/state'));
      await writeFile(less, JSON.stringify({ ...report, attributes }));
      const diff = await cxlrig(['abi', 'diff', less, saved]);
      expect(diff.exitCode).toBe(0);
      expect(diff.text).toMatch(/^\+ \/sys\/bus\/dax\/devices\/daxX\.Y\/state +644 +testing\/sysfs-bus-dax/m);
      expect(diff.text).toMatch(/added .*, 0 removed, 0 changed$/);
    },
  );

  test(
    'shows what the reference series adds, all of it documented by the series',
    { timeout: 90 * MINUTE },
    async () => {
      const { exitCode, text } = await cxlrig(['abi', 'diff', 'minimal', 'region-drivers']);
      expect(exitCode).toBe(0);
      expect(text).toMatch(/^\+ \/sys\/bus\/dax\/devices\/daxX\.Y\/hotplug +\d+.* testing\/sysfs-bus-dax/m);
      expect(text).toMatch(
        /^\+ \/sys\/bus\/cxl\/devices\/regionX\/sysram_region\/hotplug +\d+.* testing\/sysfs-bus-cxl/m,
      );
      expect(text).toMatch(/^\+ \/sys\/bus\/cxl\/drivers\/dax_region\/bind +200 +testing\/sysfs-bus-cxl/m);
    },
  );

  test.each([
    ['an unknown kernel', ['abi', '--kernel', 'stok'], 'stock'],
    ['one kernel alone', ['abi', 'diff', 'stock'], '--patches'],
    ['a file that is no inventory', ['abi', 'diff', 'package.json', 'stock'], 'cxlrig abi --format json'],
    ['a folder without documentation', ['abi', '--documentation', '/proc'], 'Documentation/ABI'],
  ])('refuses %s with exit code 2 and says what to type', async (_, args, hint) => {
    const { exitCode, text } = await cxlrig(args);
    expect(exitCode).toBe(2);
    expect(text).toContain(hint);
  });
});
