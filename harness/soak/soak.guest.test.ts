import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { workFolder } from '../testing/command.js';

interface Soaked {
  readonly exitCode: number | undefined;
  readonly text: string;
}

/** Two rounds of a scenario of one line on a QEMU that does so much besides, once for each start. */
async function soak(dir: string, sh: string, besides: string): Promise<Soaked> {
  const qemu = join(dir, 'qemu');
  const program = [
    '#!/bin/sh',
    // what only asks QEMU for something boots no guest
    `case "$*" in *' -kernel '*) ;; *) exec qemu-system-x86_64 "$@" ;; esac`,
    besides,
    'exec qemu-system-x86_64 "$@"',
  ];
  await writeFile(qemu, `${program.join('\n')}\n`, { mode: 0o755 });
  const file = join(dir, 'mine.yaml');
  const head = 'cxlrig: 1\nname: mine\ndescription: a test\ntopology: none\nboot: cold\n';
  await writeFile(file, `${head}steps:\n  - exec: { sh: '${sh}' }\n`);
  await mkdir(join(dir, 'tmp'));
  const words = ['--cases', '4', '--copies', '2', '--jobs', '1', '--minutes', '5', file];
  const { exitCode, all } = await execa(join(packageRoot, 'scripts/soak'), words, {
    reject: false,
    all: true,
    env: { TMPDIR: join(dir, 'tmp'), CXLRIG_QEMU: qemu },
    timeout: 10 * 60_000,
  });
  return { exitCode, text: all };
}

test('finds the processes and files that something leaves, and clears them up', async () => {
  const dir = await workFolder();
  // from the guest's folder to that of the temporary files
  const evil = 'echo > ../../../../tmp/forgotten-$$; setsid sleep 1234 >/dev/null 2>&1 </dev/null &';
  const { exitCode, text } = await soak(dir, 'true', evil);
  expect(text).toMatch(/^4 cases in 2 rounds/m);
  expect(text).toMatch(/^processes left {2}4\n {2}sleep 1234/m);
  expect(text).toMatch(/^files left {6}4 /m);
  expect(exitCode).toBe(1);
  expect(await readdir(join(dir, 'tmp'))).toEqual([]);
});

test('finds verdicts that change, and nothing else where nothing else is', async () => {
  const dir = await workFolder();
  // every fourth guest is told that it is on other hardware
  const evil = `echo >> ${dir}/starts; [ $(($(wc -l < ${dir}/starts) % 4)) != 0 ] || set -- "$@" -smbios type=1,version=odd`;
  const { exitCode, text } = await soak(dir, '! grep odd /sys/class/dmi/id/product_version', evil);
  expect(text).toMatch(/^verdicts {8}3 pass, 1 fail/m);
  expect(text).toMatch(/^false verdicts {2}1 of 4\n {2}mine: fail, else pass: /m);
  expect(text).toMatch(/^processes left {2}0\nfiles left {6}0 /m);
  expect(exitCode).toBe(1);
});
