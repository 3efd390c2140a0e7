import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { debianSuite } from './debian.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-debian-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('a package of Debian stable is found, fetched and has the size that the index says', async () => {
  const suite = debianSuite({ suites: ['stable'], root: dir });
  const found = await suite.resolve('busybox-stat*', { suite: 'stable' });
  expect(found.name).toBe('busybox-static');
  const [deb = ''] = await suite.download([found], dir);
  expect((await stat(deb)).size).toBe(found.size);
  expect(await suite.closure(['busybox-static'])).toContainEqual(`busybox-static=${found.version}`);
});

test('an archive whose keys are not trusted is refused', async () => {
  const suite = debianSuite({ suites: ['stable'], root: dir, keyring: '/dev/null' });
  await expect(suite.resolve('busybox-static')).rejects.toMatchObject({ stage: 'download' });
  const roots = await readdir(dir);
  expect(roots.filter((name) => name.endsWith('.deb'))).toEqual([]);
});
