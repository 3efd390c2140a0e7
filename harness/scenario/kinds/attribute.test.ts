import { expect, test } from 'vitest';
import { attributePath } from './attribute.js';

test.each([
  ['region0', '/sys/bus/cxl/devices/region0/size'],
  ['decoder3.0', '/sys/bus/cxl/devices/decoder3.0/size'],
  ['dax_region0', '/sys/bus/cxl/devices/dax_region0/size'],
  ['dax0.1', '/sys/bus/dax/devices/dax0.1/size'],
  ['namespace0.0', '/sys/bus/nd/devices/namespace0.0/size'],
  ['0000:0d:00.0', '/sys/bus/pci/devices/0000:0d:00.0/size'],
])('an attribute of %s lies below its bus', (of, path) => {
  expect(attributePath({ of, attr: 'size' })).toBe(path);
});

test('of what is no device that one knows nobody can say where it lies', () => {
  expect(attributePath({ of: 'kmem', attr: 'size' })).toBeUndefined();
});
