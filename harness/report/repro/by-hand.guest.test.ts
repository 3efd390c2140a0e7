import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../base/places.js';
import { cxlrig } from '../../testing/command.js';
import type { CaseTrace } from '../../trace/trace.js';

const MINUTE = 60_000;

let dir: string;
/** folder of each case's artifacts by the start of its id */
let cases: ReadonlyMap<string, string>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-by-hand-'));
  const out = join(dir, 'runs');
  await cxlrig([
    ...['run', join(packageRoot, 'harness/report/testing/scenarios'), 'current/refuse-target'],
    ...['current/region-to-kmem', '-t', 'wrong-zone|known-bug|refuse-target|policy=offline', '--out', out],
  ]);
  const [run = ''] = await readdir(out);
  const folders = (await readdir(join(out, run, 'cases'))).map((name) => join(out, run, 'cases', name));
  cases = new Map(
    await Promise.all(
      folders.map(async (folder): Promise<[string, string]> => {
        const trace = JSON.parse(await readFile(join(folder, 'trace.json'), 'utf8')) as CaseTrace;
        return [trace.case.id, folder];
      }),
    ),
  );
});

afterAll(() => rm(dir, { recursive: true, force: true }));

/** What a person does who was mailed the two scripts: starts the machine with the one and types the other into it. */
async function byHand(id: string): Promise<{ readonly said: string; readonly status: number }> {
  const folder = [...cases].find(([key]) => key.startsWith(id))?.[1];
  if (folder === undefined)
    throw new Error(`the run has no case ${id}, only ${[...cases.keys()].join(', ')}`);
  const qemu = execa('sh', [join(folder, 'qemu.sh'), join(folder, 'repro.sh')], {
    cwd: dir,
    all: true,
    buffer: false,
    reject: false,
    timeout: 4 * MINUTE,
  });
  let said = '';
  const typed = new Set<string>();
  const typeOnce = (line: string): void => {
    if (!typed.has(line)) qemu.stdin.write(`${line}\n`);
    typed.add(line);
  };
  qemu.all.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8').replaceAll('\r', '');
    // in halves, so that what the terminal echoes of the typing is not taken for the answer
    if (/cxlrig-init: ready/.test(said)) typeOnce('sh /repro.sh; echo "the script ended with" "$?"');
    if (/the script ended with \d/.test(said)) typeOnce('poweroff -f');
  });
  await qemu;
  const status = /^the script ended with (\d+)$/m.exec(said)?.[1];
  if (status === undefined) throw new Error(`repro.sh did not come to its end:\n${said.slice(-3000)}`);
  return { said, status: Number(status) };
}

describe('qemu.sh and repro.sh, typed by hand,', () => {
  test('fail the same way as the case', { timeout: 5 * MINUTE }, async () => {
    const { said, status } = await byHand('wrong-zone');
    expect(said).toContain('FAIL step 5: zone of memory blocks of region0: expected Normal');
    expect(status).toBe(1);
  });

  test('pass as the case did that is refused by errno', { timeout: 5 * MINUTE }, async () => {
    const { said, status } = await byHand('current/refuse-target');
    expect(said).not.toContain('FAIL');
    expect(status).toBe(0);
  });

  test('pass as the case did that brings memory', { timeout: 5 * MINUTE }, async () => {
    const { said, status } = await byHand('current/region-to-kmem [policy=offline]');
    expect(said).not.toContain('FAIL');
    expect(status).toBe(0);
  });

  test('fail as the known bug does', { timeout: 5 * MINUTE }, async () => {
    const { said, status } = await byHand('known-bug');
    expect(said).toContain('No such device');
    expect(status).toBe(1);
  });
});
