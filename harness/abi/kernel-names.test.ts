import { describe, expect, test } from 'vitest';
import { withNamesOfKernel } from './kernel-names.js';

const abi = {
  sysram_region: 'cxl_sysram_region',
  dc: 'dynamic_ram_1',
  'sysram_region/hotplug': 'memory/policy',
};

describe('a line in the words of a kernel', () => {
  test.each([
    [
      'has its names of drivers',
      "echo region0 > '/sys/bus/cxl/drivers/sysram_region/bind'",
      "echo region0 > '/sys/bus/cxl/drivers/cxl_sysram_region/bind'",
    ],
    [
      'keeps the drivers that it calls the same',
      'echo region0 > /sys/bus/cxl/drivers/dax_region/bind',
      'echo region0 > /sys/bus/cxl/drivers/dax_region/bind',
    ],
    [
      'has its parts of paths, as often as they come',
      'cat /sys/bus/cxl/devices/region0/sysram_region/hotplug; cat /sys/bus/cxl/devices/region1/sysram_region/hotplug',
      'cat /sys/bus/cxl/devices/region0/memory/policy; cat /sys/bus/cxl/devices/region1/memory/policy',
    ],
    [
      'has its names of modes',
      'echo dc > decoder2.0/mode && echo dc > decoder2.0/dpa_size',
      'echo dynamic_ram_1 > decoder2.0/mode && echo dc > decoder2.0/dpa_size',
    ],
    ['is left alone elsewhere', 'echo sysram_region', 'echo sysram_region'],
  ])('%s', (_, line, expected) => expect(withNamesOfKernel(abi, line)).toBe(expected));
});
