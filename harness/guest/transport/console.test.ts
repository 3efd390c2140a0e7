import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followConsole, lastLines, type LiveConsole } from './console.js';
import { GuestDied, GuestTimeout, type GuestDeath } from '../guest.js';

let dir: string;
let file: string;
let log: LiveConsole;
let die: (death: GuestDeath) => void;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cxlrig-console-'));
  file = join(dir, 'console.log');
  writeFileSync(file, '');
  log = followConsole(file, new Promise((resolve) => (die = resolve)));
});

afterEach(() => {
  log.close();
  rmSync(dir, { recursive: true });
});

test('a wait ends with the match, though it comes in pieces', async () => {
  const found = log.waitFor(/cxlrig-init: (\w+)\n/, { timeoutMs: 5000 });
  appendFileSync(file, '[    4.2] cxlrig-in');
  await new Promise(setImmediate);
  appendFileSync(file, 'it: ready\r\n');
  expect((await found)[1]).toBe('ready');
});

test('what is there already is found at once', async () => {
  appendFileSync(file, 'Linux version 7.3.4\r\n');
  expect((await log.waitFor(/version (\S+)/, { timeoutMs: 5000 }))[1]).toBe('7.3.4');
});

test('a mark hides what was there before it', async () => {
  appendFileSync(file, 'ready\n');
  const mark = log.length;
  await expect(log.waitFor(/ready/, { mark, timeoutMs: 30 })).rejects.toThrow(GuestTimeout);
  appendFileSync(file, 'ready again\n');
  expect((await log.waitFor(/ready.*/, { mark, timeoutMs: 5000 }))[0]).toBe('ready again');
  expect(log.since(mark)).toBe('ready again\n');
});

test('a death ends a wait, unless what is waited for was the last thing printed', async () => {
  const never = log.waitFor(/never/, { timeoutMs: 5000 });
  const last = log.waitFor(/end Kernel panic/, { timeoutMs: 5000 });
  appendFileSync(file, '---[ end Kernel panic - not syncing');
  die({ kind: 'panic', message: 'Kernel panic', console: [] });
  await expect(never).rejects.toThrow(GuestDied);
  expect((await last)[0]).toBe('end Kernel panic');
});

test('a global pattern is matched from the start every time', async () => {
  const pattern = /x/g;
  appendFileSync(file, 'x');
  await log.waitFor(pattern, { timeoutMs: 1000 });
  await log.waitFor(pattern, { timeoutMs: 1000 });
});

test('last lines are without empty ones', () => {
  expect(lastLines('a\n\nb  \nc\n\n', 2)).toEqual(['b', 'c']);
});

test('a wait ends when nobody follows the console any more: its file may be gone before the deadline', async () => {
  const found = log.waitFor(/never/, { timeoutMs: 60_000 });
  log.close();
  await expect(found).rejects.toThrow(/nobody follows the console/);
});
