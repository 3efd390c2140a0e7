import { expect, test } from 'vitest';
import type { DebianSuite } from '../base/debian/debian.js';
import { RigError, UsageError } from '../base/errors.js';
import { checkPackageNames, requirePackages } from './further-packages.js';

test.each([
  '-oAPT::Update::Pre-Invoke=id',
  'fio;id',
  '../deb',
  'strace=6',
  'a b',
  '',
  'Fio',
  'fio/trixie',
  './x.deb',
])('what is no name of a package is refused before apt hears of it: %j', (name) => {
  expect(() => checkPackageNames([name])).toThrow(UsageError);
});

test('names of packages pass', () => {
  expect(() => checkPackageNames(['fio', 'libstdc++6', 'python3', 'trace-cmd', 'gdb'])).not.toThrow();
});

test('a package that the suite lacks is a mistake of the person, and anything else is not', async () => {
  const suite = (error: Error) => ({ resolve: () => Promise.reject(error) }) as unknown as DebianSuite;
  const missing = new RigError('download', "no package 'foi' in stable of the Debian archive x");
  await expect(requirePackages(['foi'], suite(missing), 'stable')).rejects.toThrow('has no package foi');
  await expect(
    requirePackages(['fio'], suite(new RigError('download', 'no network')), 'stable'),
  ).rejects.toThrow(RigError);
});
