import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { disown, orphansIn, temporaryFolder } from './owner.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cxlrig-owner-'));
  vi.stubEnv('TMPDIR', root);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

type Mark = Record<'pid' | 'started' | 'space', unknown>;

/** Makes another the owner of a folder. */
function giveTo(dir: string, owner: Partial<Mark>): void {
  const file = join(dir, '.owner');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as Mark), ...owner }));
}

test('a folder whose owner lives stays', async () => {
  const [one, other] = [await temporaryFolder('one'), await temporaryFolder('other')];
  expect(await orphansIn(root)).toEqual([]);
  expect([one, other].every(existsSync)).toBe(true);
});

test('a folder whose owner was killed goes when the next one is made', async () => {
  const dir = await temporaryFolder('killed');
  const child = execa('sleep', ['60'], { reject: false });
  const stat = readFileSync(`/proc/${String(child.pid)}/stat`, 'utf8');
  giveTo(dir, { pid: child.pid, started: stat.split(' ')[21] });
  expect(await orphansIn(root)).toEqual([]);
  child.kill('SIGKILL');
  await child;
  expect(await orphansIn(root)).toEqual([dir]);
  await temporaryFolder('next');
  expect(existsSync(dir)).toBe(false);
});

test('a process of the same number that started at another time is not the owner', async () => {
  const dir = await temporaryFolder('reused');
  giveTo(dir, { started: '1' });
  expect(await orphansIn(root)).toEqual([dir]);
});

test('of another machine or container, a folder is left alone for days', async () => {
  const dir = await temporaryFolder('elsewhere');
  giveTo(dir, { pid: 1, started: '1', space: 'another boot' });
  expect(await orphansIn(root)).toEqual([]);
  const lastWeek = Date.now() / 1000 - 7 * 24 * 60 * 60;
  utimesSync(join(dir, '.owner'), lastWeek, lastWeek);
  expect(await orphansIn(root)).toEqual([dir]);
});

test("a folder without an owner, or whose mark is no such thing, is nobody's to remove", async () => {
  const [disowned, spoilt] = [await temporaryFolder('disowned'), await temporaryFolder('spoilt')];
  disown(disowned);
  writeFileSync(join(spoilt, '.owner'), 'x');
  expect(await orphansIn(root)).toEqual([]);
});
