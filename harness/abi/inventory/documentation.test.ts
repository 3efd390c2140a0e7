import { describe, expect, test } from 'vitest';
import { documentationOf, documentedPattern, parseDocumentation } from './documentation.js';

/** Fields as Documentation/ABI/testing/sysfs-bus-cxl and sysfs-bus-dax of Linux 7.3 write them. */
const CXL = `What:		/sys/bus/cxl/devices/portX/parent_dport
What:		/sys/bus/cxl/devices/endpointX/parent_dport
Date:		January, 2023
KernelVersion:	v6.3
Contact:	linux-cxl@vger.kernel.org
Description:
		(RO) What: this is no field, and /sys/bus/cxl/nothing no path.

What:           /sys/bus/cxl/devices/memX/security/sanitize
Date:		June, 2023
`;

const DRIVERS = `What:		/sys/bus/dax/drivers/<driver>/bind
		/sys/bus/dax/drivers/<driver>/unbind
Date:		November, 2026
Description:	text
`;

describe('the documentation', () => {
  test('has a path for each What, whatever the blanks, and none from the descriptions', () => {
    expect(parseDocumentation(CXL, 'testing/sysfs-bus-cxl').map(({ what }) => what)).toEqual([
      '/sys/bus/cxl/devices/portX/parent_dport',
      '/sys/bus/cxl/devices/endpointX/parent_dport',
      '/sys/bus/cxl/devices/memX/security/sanitize',
    ]);
  });

  test('has one for each line of a What', () => {
    expect(parseDocumentation(DRIVERS, 'testing/sysfs-bus-dax').map(({ what }) => what)).toEqual([
      '/sys/bus/dax/drivers/<driver>/bind',
      '/sys/bus/dax/drivers/<driver>/unbind',
    ]);
  });

  test('has the paths beside a device, which are written as a command', () => {
    const what = '$(readlink -f /sys/bus/dax/devices/daxX.Y)/../dax_region/size';
    const documentation = documentationOf(parseDocumentation(`What:\t\t${what}\nDate: July, 2017\n`, 'file'));
    expect(documentation.entries).toEqual([{ what, file: 'file' }]);
    expect(documentation.fileOf(['/sys/bus/dax/devices/dax0.0/../dax_region/size'])).toBe('file');
  });

  test('names the file for any of the paths of an attribute', () => {
    const documentation = documentationOf(parseDocumentation(DRIVERS, 'testing/sysfs-bus-dax'));
    expect(documentation.fileOf(['/sys/x', '/sys/bus/dax/drivers/kmem/bind'])).toBe('testing/sysfs-bus-dax');
    expect(documentation.fileOf(['/sys/bus/dax/drivers/kmem/new_id'])).toBeUndefined();
  });
});

test('what is documented of any device counts last, and a folder of any name for nothing', () => {
  const of = (what: string, file: string) => ({ what, file });
  const documentation = documentationOf([
    of('/sys/.../<device>', 'testing/sysfs-bus-vfio-mdev'),
    of('/sys/devices/.../online', 'testing/sysfs-devices-online'),
    of('/sys/devices/system/memory/memoryX/online', 'testing/sysfs-devices-memory'),
  ]);
  expect(documentation.fileOf(['/sys/devices/system/memory/memory32/online'])).toBe(
    'testing/sysfs-devices-memory',
  );
  expect(documentation.fileOf(['/sys/devices/system/cpu/online'])).toBe('testing/sysfs-devices-online');
  expect(documentation.fileOf(['/sys/bus/cxl/flush'])).toBeUndefined();
});

test.each([
  ['/sys/bus/cxl/devices/memX/ram/size', '/sys/bus/cxl/devices/mem12/ram/size'],
  ['/sys/bus/cxl/devices/decoderX.Y/mode', '/sys/bus/cxl/devices/decoder2.0/mode'],
  ['/sys/bus/cxl/devices/portX/dportY', '/sys/bus/cxl/devices/port1/dport0'],
  ['/sys/bus/cxl/devices/regionZ/target[0..N]', '/sys/bus/cxl/devices/region0/target7'],
  ['/sys/bus/cxl/devices/regionZ/accessY/read_latency', '/sys/bus/cxl/devices/region0/access1/read_latency'],
  ['/sys/bus/cxl/devices/*/devtype', '/sys/bus/cxl/devices/decoder2.0/devtype'],
  ['/sys/bus/dax/devices/daxX.Y/mapping[0..N]/start', '/sys/bus/dax/devices/dax0.0/mapping0/start'],
  [
    '$(readlink -f /sys/bus/dax/devices/daxX.Y)/../dax_region/available_size',
    '/sys/bus/dax/devices/dax0.0/../dax_region/available_size',
  ],
  ['/sys/bus/cxl/devices/endpointX/CDAT', '/sys/bus/cxl/devices/endpoint2/CDAT'],
  ['/sys/bus/cxl/drivers/<driver>/bind', '/sys/bus/cxl/drivers/dax_region/bind'],
  ['/sys/bus/cxl/devices/{port,endpoint}X/uport', '/sys/bus/cxl/devices/endpoint2/uport'],
  ['/sys/devices/.../power/', '/sys/devices/platform/ACPI0017:00/root0/power'],
  ['/sys/devices/system/memory/memoryX/state', '/sys/devices/system/memory/memory32/state'],
])('%s documents %s', (what, path) => {
  expect(path).toMatch(documentedPattern(what));
});

test.each([
  ['/sys/bus/cxl/devices/*/devtype', '/sys/bus/cxl/devices/mem0/firmware/devtype'],
  ['/sys/bus/cxl/devices/memX/ram/size', '/sys/bus/cxl/devices/mem0/pmem/size'],
  ['/sys/bus/cxl/devices/decoderX.Y', '/sys/bus/cxl/devices/decoder0.0/size'],
  ['/sys/bus/cxl/devices/memX/serial', '/sys/bus/cxl/devices/memX1/serial'],
])('%s does not document %s', (what, path) => {
  expect(path).not.toMatch(documentedPattern(what));
});
