import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { debianMirror, mirrorInIndexTargets, mirrorInSources } from './debian-mirror.js';
import { UsageError } from '../errors.js';

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

test('where apt has fetched nothing yet, the archive is the one that has the suite of the system', () => {
  const sources = [
    'main|cloud-tools|https://other.example/apt/',
    'main|trixie-security|http://near.example/debian-security/',
    'stable|trixie|https://containers.example/linux/debian/',
    'main|trixie|https://php.example/debian/',
    'main|trixie-updates|http://near.example/debian/',
    'main|trixie|http://near.example/debian/',
  ].join('\n');
  expect(mirrorInSources(sources, 'trixie')).toBe('http://near.example/debian/');
  expect(mirrorInSources('main|sid|http://near.example/debian/', 'forky')).toBe(
    'http://near.example/debian/',
  );
});

test.each([
  ['another distribution', 'main|noble|http://near.example/ubuntu/', undefined],
  ['a medium that is read once', 'main|trixie|cdrom:[Debian 13]/', 'trixie'],
  ['no sources', '', 'trixie'],
])('%s has no archive of Debian to fetch from', (_, sources, codename) => {
  expect(mirrorInSources(sources, codename)).toBeUndefined();
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
