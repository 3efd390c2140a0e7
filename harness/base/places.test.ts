import { mkdir, realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workFolder } from '../testing/command.js';
import { cacheRoot } from './places.js';

test('a cache behind a symbolic link is known by the path that make and compilers print', async () => {
  const dir = await realpath(await workFolder());
  await mkdir(join(dir, 'disk'));
  await symlink(join(dir, 'disk'), join(dir, 'cache'));
  expect(cacheRoot({ CXLRIG_CACHE: join(dir, 'cache') })).toBe(join(dir, 'disk'));
});

test('a cache that is not there yet has the path that was given', async () => {
  const dir = await workFolder();
  expect(cacheRoot({ XDG_CACHE_HOME: dir })).toBe(join(dir, 'cxlrig'));
});
