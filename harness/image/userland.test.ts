import { expect, test } from 'vitest';
import { exclusion } from './userland.js';

test('an exclusion names whole paths, its star goes over slashes', () => {
  const isExcluded = exclusion(['/usr/share/doc/*', '/etc/rc?.d*', '/usr/lib/libmvec.so*']);
  expect(isExcluded('/usr/share/doc/kmod/copyright')).toBe(true);
  expect(isExcluded('/usr/share/doc')).toBe(false);
  expect(isExcluded('/etc/rc3.d')).toBe(true);
  expect(isExcluded('/etc/rc3.d/S01x')).toBe(true);
  expect(isExcluded('/etc/rc.d')).toBe(false);
  expect(isExcluded('/usr/lib/libmvec.so.1')).toBe(true);
  expect(isExcluded('/usr/lib/libmvecXso')).toBe(false);
  expect(isExcluded('/mnt/usr/share/doc/x')).toBe(false);
});

test('no exclusion excludes nothing', () => {
  expect(exclusion([])('/usr')).toBe(false);
});
