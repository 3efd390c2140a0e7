import { spawn } from 'node:child_process';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { GuestTimeout } from '../guest.js';
import { typedShell, type ShellProcess, type TypedShell } from './typed-shell.js';

/** The framing is POSIX sh, so that a shell of this host does for a guest's. */
let opened = 0;
const shells: TypedShell[] = [];

function openLocal(): Promise<ShellProcess> {
  opened += 1;
  const child = spawn('sh', { stdio: 'pipe' });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  const { stdin, stdout, stderr } = child;
  return Promise.resolve({ stdin, stdout, stderr, ended, abandon: () => void child.kill('SIGKILL') });
}

function localShell(): TypedShell {
  opened = 0;
  const shell = typedShell(openLocal);
  shells.push(shell);
  return shell;
}

async function typed(
  shell: TypedShell,
  line: string,
): Promise<{ out: string; err: string; code: number | null }> {
  const { stdout, stderr, code } = await shell.type(line, { timeoutMs: 10_000 });
  return { out: stdout.toString(), err: stderr.toString(), code };
}

afterEach(() => {
  for (const shell of shells.splice(0)) shell.renew();
});

test('output, errors and status are apart and exact, with and without a newline at the end', async () => {
  const shell = localShell();
  expect(await typed(shell, "printf 'a\\nb'; printf 'c' >&2; (exit 3)")).toEqual({
    out: 'a\nb',
    err: 'c',
    code: 3,
  });
  expect(await typed(shell, 'echo d')).toEqual({ out: 'd\n', err: '', code: 0 });
});

test('a shell that never opens is waited for no longer than the line has, and the next line gets another', async () => {
  let asked = 0;
  const shell = typedShell(() => (asked++ === 0 ? new Promise<never>(() => undefined) : openLocal()));
  shells.push(shell);
  await expect(shell.type('true', { timeoutMs: 100 })).rejects.toThrow(GuestTimeout);
  expect(await typed(shell, 'echo again')).toMatchObject({ out: 'again\n' });
});

test('lines are typed one after the other into one shell, whose variables stay', async () => {
  const shell = localShell();
  const answers = await Promise.all([
    typed(shell, 'x=1'),
    typed(shell, 'x=$((x + 1))'),
    typed(shell, 'echo $x'),
  ]);
  expect(answers[2].out).toBe('2\n');
  expect(opened).toBe(1);
});

test('a line of several lines, a here-document included, is one answer', async () => {
  const shell = localShell();
  expect((await typed(shell, 'cat <<END\none\nEND\necho two')).out).toBe('one\ntwo\n');
});

test('a line that is no shell is refused by the shell and leaves it alive', async () => {
  const shell = localShell();
  for (const line of ["echo 'unbalanced", 'if true', 'echo "', ')', 'cat <<END']) {
    await typed(shell, line);
    expect((await typed(shell, 'echo alive')).out).toBe('alive\n');
  }
  expect((await typed(shell, "echo 'unbalanced")).code).not.toBe(0);
});

test('a line cannot read what is typed after it', async () => {
  const shell = localShell();
  expect(await typed(shell, 'cat; read x; echo "[$x]"')).toEqual({ out: '[]\n', err: '', code: 0 });
});

test('exit ends the shell with its status and output; the next line gets a new one', async () => {
  const shell = localShell();
  expect(await typed(shell, 'echo bye; echo late >&2; exit 7')).toEqual({
    out: 'bye\n',
    err: 'late\n',
    code: 7,
  });
  expect((await typed(shell, 'echo next')).out).toBe('next\n');
  expect(opened).toBe(2);
});

test('a shell that a line replaces or kills is told apart by its status and signal', async () => {
  const shell = localShell();
  expect((await typed(shell, 'exec sh -c "exit 5"')).code).toBe(5);
  const killed = await shell.type('kill -9 $$', { timeoutMs: 10_000 });
  expect(killed).toMatchObject({ code: null, signal: 'SIGKILL' });
});

test('a line that hangs is a timeout, and the next one does not wait for it', async () => {
  const shell = localShell();
  await expect(shell.type('sleep 60', { timeoutMs: 100 })).rejects.toThrow(GuestTimeout);
  expect((await typed(shell, 'echo next')).out).toBe('next\n');
  expect(opened).toBe(2);
});

test('what a line hangs in is there to be looked at, until the shell is renewed', async () => {
  const shell = localShell();
  const { out } = await typed(shell, 'echo $$');
  await expect(shell.type('sleep 60', { timeoutMs: 100 })).rejects.toThrow(GuestTimeout);
  expect((await typed(shell, `kill -0 ${out.trim()} && echo alive`)).out).toBe('alive\n');
  shell.renew();
  await vi.waitFor(() => expect(() => process.kill(Number(out), 0)).toThrow());
});

test('a shell that ends long after it was given up does not take the next one along', async () => {
  const shell = localShell();
  await expect(shell.type('sleep 0.4; exit', { timeoutMs: 100 })).rejects.toThrow(GuestTimeout);
  await typed(shell, 'x=kept; sleep 0.6');
  expect((await typed(shell, 'echo $x')).out).toBe('kept\n');
});

test('set -x traces to the errors and cannot fake an end', async () => {
  const shell = localShell();
  const { out, err } = await typed(shell, 'set -xv; echo traced');
  expect(out).toBe('traced\n');
  expect(err).toContain('+ echo traced');
  expect((await typed(shell, 'set +xv 2>/dev/null; echo quiet')).out).toBe('quiet\n');
  expect(await typed(shell, 'echo clean')).toEqual({ out: 'clean\n', err: '', code: 0 });
});

test('a megabyte comes back whole', async () => {
  const shell = localShell();
  const { stdout } = await shell.type('head -c 1000000 /dev/zero; head -c 1000 /dev/zero >&2', {
    timeoutMs: 10_000,
  });
  expect(stdout.equals(Buffer.alloc(1_000_000))).toBe(true);
});

test('a shell that could not be opened is opened again for the next line', async () => {
  let isBroken = true;
  const shell = typedShell(() => (isBroken ? Promise.reject(new Error('no channel')) : openLocal()));
  shells.push(shell);
  await expect(typed(shell, 'echo a')).rejects.toThrow('no channel');
  isBroken = false;
  expect((await typed(shell, 'echo a')).out).toBe('a\n');
});

test('whatever is printed as an argument comes back as it was', async () => {
  const shell = localShell();
  const text = fc.string({ unit: 'binary', maxLength: 200 }).map((value) => value.replaceAll('\0', ''));
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const { out } = await typed(shell, `printf %s '${value.replaceAll("'", `'\\''`)}'`);
      return out === Buffer.from(value).toString();
    }),
    { numRuns: 200 },
  );
});
