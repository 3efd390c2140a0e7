import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { GuestShell } from '../guest/guest.js';
import { readBatch, typeLines } from './typing.js';

/** A shell of this machine in the place of a guest's: what is typed is plain POSIX sh but for the clock. */
const localShell: GuestShell = {
  exec: () => Promise.reject(new Error('not used')),
  type: (line) => {
    const { stdout, stderr, status } = spawnSync('sh', ['-c', line.replaceAll('/dev/kmsg', '/dev/null')]);
    return Promise.resolve({ stdout, stderr, code: status, signal: null, milliseconds: 1 });
  },
};

const type = (...lines: { text: string; subject?: string }[]) =>
  typeLines(localShell, lines, { timeoutMs: 1000 });

describe('lines typed into a shell', () => {
  test('each have their own output and status', async () => {
    const lines = await type({ text: 'echo one; echo un >&2' }, { text: "echo 'two words'" });
    expect(lines.map(({ stdout, stderr, code }) => [stdout, stderr, code])).toEqual([
      ['one\n', 'un\n', 0],
      ['two words\n', '', 0],
    ]);
  });

  test('end with the first that fails', async () => {
    const lines = await type({ text: 'true' }, { text: 'echo why >&2; (exit 3)' }, { text: 'echo never' });
    expect(lines.map(({ text, code }) => [text, code])).toEqual([
      ['true', 0],
      ['echo why >&2; (exit 3)', 3],
    ]);
  });

  test('go on after one that fails when they shall', async () => {
    const lines = await typeLines(localShell, [{ text: 'false' }, { text: 'echo on' }], {
      timeoutMs: 1000,
      keepGoing: true,
    });
    expect(lines.map(({ code }) => code)).toEqual([1, 0]);
  });

  test('share the shell: a variable set by one is known to the next', async () => {
    const lines = await type({ text: 'R=region0' }, { text: 'echo $R' });
    expect(lines.at(-1)?.stdout).toBe('region0\n');
  });

  test('may be no shell at all', async () => {
    const lines = await type({ text: 'if then' }, { text: 'echo never' });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.code).not.toBe(0);
  });

  test('that fail on a file which is not there failed with ENOENT', async () => {
    const lines = await type({ text: 'echo sh: x: Permission denied >&2; false', subject: '/no/such/file' });
    expect(lines[0]?.errno).toBe('ENOENT');
  });

  test('that fail on a file which is there failed as they say', async () => {
    const lines = await type({ text: 'echo sh: x: Permission denied >&2; false', subject: '/' });
    expect(lines[0]?.errno).toBe('EACCES');
  });
});

test('a line that ends the shell has the status of the shell', () => {
  const result = { stdout: Buffer.from('@m 5.5\nbye\n'), stderr: Buffer.from('@m\n'), code: 7 };
  expect(readBatch([{ text: 'echo bye; exit 7' }, { text: 'never' }], result, '@m', 0)).toMatchObject([
    { stdout: 'bye\n', code: 7 },
  ]);
});

test('complaints do not tell where in our script the line stands', () => {
  const stderr = Buffer.from("@m\nsh: eval: line 165: can't create x: Permission denied\n");
  const result = { stdout: Buffer.from('@m 5.5\n@m 1 5.6 \n'), stderr, code: 0 };
  expect(readBatch([{ text: 'x' }], result, '@m', 0)).toMatchObject([
    { stderr: "sh: can't create x: Permission denied\n", errno: 'EACCES', milliseconds: 100 },
  ]);
});
