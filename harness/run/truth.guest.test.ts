import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import type { CaseTrace } from '../trace/trace.js';
import { builtCommand, cxlrig, processesIn, workFolder } from '../testing/command.js';

const MINUTE = 60_000;

async function scenario(dir: string, sh: string, more = ''): Promise<string> {
  const file = join(dir, 'mine.yaml');
  const head = `cxlrig: 1\nname: mine\ndescription: a test\ntopology: none\n${more}`;
  await writeFile(file, `${head}steps:\n  - exec:\n      sh: ${JSON.stringify(sh)}\n`);
  return file;
}

async function cases(out: string): Promise<readonly Pick<CaseTrace, 'verdict' | 'reason' | 'attempts'>[]> {
  const [run = ''] = await readdir(out);
  const text = await readFile(join(out, run, 'results.json'), 'utf8');
  return (JSON.parse(text) as { cases: CaseTrace[] }).cases;
}

/** A QEMU that tells the guest, as the version of its hardware, the how-manieth it is. */
async function countingQemu(dir: string): Promise<string> {
  const file = join(dir, 'qemu');
  const program = `#!/bin/sh
case "$1" in --version) exec qemu-system-x86_64 --version ;; esac
case "$*" in *' -kernel '*) echo >> ${dir}/guests ;; esac
exec qemu-system-x86_64 "$@" -smbios type=1,version=$(wc -l < ${dir}/guests)
`;
  await writeFile(join(dir, 'guests'), '');
  await writeFile(file, program, { mode: 0o755 });
  return file;
}

test('a case that fails for what another left in its guest is run again in a fresh one, and fails as order-dependent', async () => {
  const dir = await workFolder();
  // what no snapshot shows, so that the guest passes for clean
  const file = await scenario(
    dir,
    '[ "$(hostname)" != left ] && hostname left # ${n}',
    'matrix: { n: [1, 2] }\n',
  );
  const out = join(dir, 'runs');
  const { exitCode, text } = await cxlrig(['run', file, '--jobs', '1', '--out', out], {
    timeout: 5 * MINUTE,
  });
  expect(exitCode).toBe(1);
  const why =
    'depends on what ran before (failed in a guest that had served 1 cases, passed in 1 fresh; `boot: fresh` gives a case one of its own)';
  expect(text).toContain(why);
  expect(text).toContain('1 pass, 1 fail');
  const [first, second] = await cases(out);
  expect(first).toMatchObject({ verdict: 'pass' });
  expect(second).toMatchObject({ verdict: 'fail', attempts: [{ verdict: 'fail' }, { verdict: 'pass' }] });
});

test('a case that fails now and then fails as flaky with its rate, however often it passed when tried again', async () => {
  const dir = await workFolder();
  const file = await scenario(dir, 'read n < /sys/class/dmi/id/product_version; [ $((n % 2)) = 0 ]');
  const out = join(dir, 'runs');
  const { exitCode, text } = await cxlrig(['run', file, '--cold', '--retry', '3', '--out', out], {
    env: { CXLRIG_QEMU: await countingQemu(dir) },
    timeout: 5 * MINUTE,
  });
  expect(exitCode).toBe(1);
  expect(text).toContain('flaky (failed in 2 of 4 attempts)');
  const [only] = await cases(out);
  expect(only?.attempts?.map(({ verdict }) => verdict)).toEqual(['fail', 'pass', 'fail', 'pass']);
});

test('--keep-on-failure leaves the guest of a failed case up, lets one in as it says, and ends it on Ctrl-C', async () => {
  const dir = await workFolder();
  const file = await scenario(dir, 'echo evidence > /tmp/evidence; false');
  const command = execa(
    'node',
    [builtCommand, 'run', file, '--keep-on-failure', '--out', join(dir, 'runs')],
    {
      reject: false,
      all: true,
      stdin: 'ignore',
      timeout: 5 * MINUTE,
    },
  );
  let told = '';
  command.all.on('data', (chunk: Buffer) => void (told += chunk.toString()));
  const ssh = await vi.waitFor(
    () => {
      const [, line] = /until Ctrl-C; get in with: (ssh .*)/.exec(told) ?? [];
      if (line === undefined) throw new Error(`not told yet: ${told}`);
      return line;
    },
    { timeout: 2 * MINUTE, interval: 100 },
  );
  const { stdout } = await execa('sh', ['-c', `${ssh} cat /tmp/evidence`], { stdin: 'ignore' });
  expect(stdout).toBe('evidence');
  expect(await processesIn(dir)).toHaveLength(1);
  command.kill('SIGINT');
  expect((await command).exitCode).toBe(130);
  expect(told).toMatch(/1 fail/);
  expect(await processesIn(dir)).toEqual([]);
  const left = (await readdir(dir, { recursive: true })).filter((name) =>
    /id_ed25519|initrd|\.owner/.test(name),
  );
  expect(left).toEqual([]);
});

test('cxlrig shell on a terminal is a shell in the guest, and ends with its status', async () => {
  const dir = await workFolder();
  const terminal = execa('script', ['-qec', `node ${builtCommand} shell none`, '/dev/null'], {
    reject: false,
    all: true,
    env: { TMPDIR: dir },
    timeout: 5 * MINUTE,
  });
  let shown = '';
  terminal.all.on('data', (chunk: Buffer) => void (shown += chunk.toString()));
  // the shell may ask the terminal behind its prompt where the cursor is
  await vi.waitFor(() => expect(shown).toContain(':~# '), { timeout: 2 * MINUTE, interval: 100 });
  // the echo of what is typed has not the sum
  terminal.stdin.write('tty; echo sum $((40 + 2)); exit 7\r');
  const { exitCode } = await terminal;
  expect(shown).toMatch(/\/dev\/pts\/\d+/);
  expect(shown).toContain('sum 42');
  expect(exitCode).toBe(7);
  expect(await readdir(dir)).toEqual([]);
});
