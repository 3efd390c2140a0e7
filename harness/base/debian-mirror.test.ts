import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { debianMirror, mirrorInIndexTargets } from './debian-mirror.js';
import { UsageError } from './errors.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-mirror-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('the archive of Debian is told from backports, security and other distributions', () => {
  const targets = [
    'Debian Backports|Debian Backports|http://near.example/debian/',
    'Debian|Debian-Security|http://near.example/debian-security/',
    'Ubuntu|Ubuntu|http://near.example/ubuntu/',
    '. nodistro|. nodistro|https://other.example/node/',
    'Debian|Debian|http://near.example/debian/',
  ].join('\n');
  expect(mirrorInIndexTargets(targets)).toBe('http://near.example/debian/');
});

test('a machine whose apt knows no Debian archive gives none', () => {
  expect(mirrorInIndexTargets('Ubuntu|Ubuntu|http://near.example/ubuntu/\n')).toBeUndefined();
  expect(mirrorInIndexTargets('')).toBeUndefined();
});

test('an address that was asked for is taken as it is', async () => {
  expect(await debianMirror(dir, 'http://near.example/debian')).toBe('http://near.example/debian');
  expect(await debianMirror(dir, 'file:/srv/debian')).toBe('file:/srv/debian');
});

test.each([
  'near.example/debian',
  'http://near.example/debian [trusted=yes]',
  'http://a b',
  'rsh:/x',
  '-o x',
])('an address that apt would not take, or take as an option, is refused: %s', async (mirror) => {
  await expect(debianMirror(dir, mirror)).rejects.toBeInstanceOf(UsageError);
});

test('a remembered address is used without asking apt', async () => {
  await writeFile(join(dir, 'mirror'), 'http://remembered.example/debian');
  expect(await debianMirror(dir, '')).toBe('http://remembered.example/debian');
});
