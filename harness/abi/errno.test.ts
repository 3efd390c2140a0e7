import { describe, expect, test } from 'vitest';
import { errnoTable } from './errno-table.js';
import { canonicalErrno, errnoName, errnoOf } from './errno.js';

describe('errnoOf', () => {
  test.each([
    ['sh: write error: Device or resource busy', 'EBUSY'],
    ['sh: write error: No such device or address', 'ENXIO'],
    ['sh: write error: No such device', 'ENODEV'],
    ['sh: write error: Unknown error 524', 'ENOTSUPP'],
    ["sh: can't create /sys/bus/cxl/devices/decoder0.0/size: Permission denied", 'EACCES'],
    ["sh: can't create nodir/nosuch: nonexistent directory", 'ENOENT'],
    ["cat: can't open 'mem0/nosuch': No such file or directory", 'ENOENT'],
    ["rmmod: can't unload module 'libnvdimm': Resource temporarily unavailable", 'EAGAIN'],
    ['modprobe: module nosuch not found in modules.dep', 'ENOENT'],
    ['modprobe: FATAL: Module libnvdimm is in use.', 'EAGAIN'],
    ['rmmod: ERROR: Module kmem is not currently loaded', 'ENOENT'],
    [
      'cxl region: create_region: region0: failed to set target0 to mem0: No such device or address\n' +
        'cxl region: cmd_create_region: created 0 regions',
      'ENXIO',
    ],
  ])('finds the errno in %j', (complaint, name) => expect(errnoOf(complaint)).toBe(name));

  test('says nothing where nothing is said', () => {
    expect(errnoOf('')).toBeUndefined();
    expect(errnoOf('cxl memdev: cmd_disable_memdev: disabled 0 mem')).toBeUndefined();
  });

  test('knows every text of strerror by its name', () => {
    for (const [, name, text] of errnoTable) expect(errnoOf(`sh: write error: ${text}`)).toBe(name);
  });
});

test('errno names go by number and by their first word', () => {
  expect(errnoName(-16)).toBe('EBUSY');
  expect(canonicalErrno('EWOULDBLOCK')).toBe('EAGAIN');
  expect(canonicalErrno('EBUSY')).toBe('EBUSY');
});
