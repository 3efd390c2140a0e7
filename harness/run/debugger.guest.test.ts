import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { processesIn, startCxlrig, workFolder } from '../testing/command.js';

const SCENARIO = `cxlrig: 1
name: A granularity that the window has not
description: It is refused.
topology: two-bridges
steps:
  - exec: { sh: 'true' }
  - create-region: { as: r, targets: [mem0, mem1], size: 512M, granularity: 512 }
`;

/** Has a stopped machine go on, as \`continue\` of gdb does. */
function continueByGdbstub(address: string): void {
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host, () => socket.write('+$c#63'));
  socket.on('data', () => undefined).on('error', () => undefined);
}

test('a guest is stopped before the step that one asks for, with symbols of any kernel, and goes on as the debugger says', async () => {
  const dir = await workFolder();
  const [file, out] = [join(dir, 'mine.yaml'), join(dir, 'runs')];
  await writeFile(file, SCENARIO);
  const { child, text } = startCxlrig(['run', file, '--gdb', '2', '--out', out]);
  await expect
    .poll(() => text(), { timeout: 200_000 })
    .toMatch(/stopped before step 2; .* gdb -x \S+attach\.gdb/);
  const artifacts = join(out, (await readdir(out))[0] ?? '', 'cases');
  const folder = join(artifacts, (await readdir(artifacts))[0] ?? '');
  const script = await readFile(join(folder, 'attach.gdb'), 'utf8');
  const { stdout } = await execa('nm', [join(folder, 'symbols.elf')]);
  expect(stdout).toMatch(/^ffffffff\w+ t interleave_granularity_store$/m);
  expect(text()).not.toContain('FAIL');

  continueByGdbstub(/target remote (127\.0\.0\.1:\d+)/.exec(script)?.[1] ?? '');
  expect((await child).exitCode).toBe(1);
  expect(text()).toMatch(/interleave_granularity: EINVAL/);
  expect(await processesIn(dir)).toEqual([]);
});
