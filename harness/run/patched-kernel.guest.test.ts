import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { kernelRepository, type Edit } from '../kernel/testing/repository.js';
import { readRun } from '../report/saved-run.js';
import { cxlrig, processesIn, workFolder } from '../testing/command.js';

/**
 * All in one file and in this order, for they share one kernel: where the cache has no `minimal` yet, the first test
 * builds it, which takes ten minutes; every other kernel here is that one with a file changed.
 */

const MINUTE = 60_000;
const broken = join(packageRoot, 'harness/kernel/testing/broken-kmem.patch');

/** What the broken patch does, as an edit: whatever policy applies, memory comes up movable. */
function breakKmem(text: string): string {
  return text.replace(
    'kmem_name, mhp_flags,\n\t\t\t\tonline_type);',
    'kmem_name, mhp_flags,\n\t\t\t\tMMOP_ONLINE_MOVABLE);',
  );
}

async function lastRun(out: string) {
  const [name = ''] = (await readdir(out)).sort().slice(-1);
  return readRun(join(out, name));
}

describe('a kernel built from Debian source', () => {
  test('passes what the stock kernel passes', { timeout: 60 * MINUTE }, async () => {
    const out = await workFolder();
    const { exitCode, text } = await cxlrig(['run', 'current', '--kernel', 'minimal', '--out', out], {
      timeout: 60 * MINUTE,
    });
    expect(text).not.toMatch(/^(FAIL|INFRA|skip)/m);
    expect(exitCode).toBe(0);
    const { summary, traces } = await lastRun(out);
    expect(traces.length).toBeGreaterThan(45);
    expect(summary.environment.kernels).toMatchObject([
      { profile: 'minimal', source: expect.stringMatching(/^linux-source-\d/) as string },
    ]);
  });

  test(
    'with a line of kmem broken by a patch fails exactly the cases that ask for it',
    { timeout: 15 * MINUTE },
    async () => {
      const out = await workFolder();
      const { exitCode, text } = await cxlrig([
        'run',
        'current/region-to-kmem',
        '--patches',
        broken,
        '--out',
        out,
      ]);
      expect(exitCode).toBe(1);
      const { summary, traces } = await lastRun(out);
      const verdicts = Object.fromEntries(
        traces.map(({ case: { values }, verdict }) => [String(values['policy']), verdict]),
      );
      expect(verdicts).toEqual({
        offline: 'fail',
        online: 'fail',
        online_kernel: 'fail',
        online_movable: 'pass',
      });
      expect(text).toContain('kernel minimal+broken-kmem.patch ');
      expect(summary.environment.kernels).toMatchObject([
        {
          profile: 'minimal+broken-kmem.patch',
          series: { hash: expect.stringMatching(/^[0-9a-f]{12}$/) as string, patches: ['broken-kmem.patch'] },
          configHash: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
        },
      ]);
    },
  );

  test(
    'is booted after every patch of a series; one that does not compile is named with its error',
    { timeout: 15 * MINUTE },
    async () => {
      const series = await workFolder();
      await writeFile(join(series, '0001-first.patch'), await readFile(broken));
      await writeFile(join(series, '0002-second.patch'), uncompilable(await readFile(broken, 'utf8')));
      const { exitCode, text } = await cxlrig(['kernel', 'build', '--patches', series, '--each-patch']);
      expect(text).toMatch(/^1\/2 .* builds +\d.* boots in /m);
      expect(text).toMatch(/^2\/2 .* does not build/m);
      expect(text).toMatch(/^2\/2: .* most likely by 0002-second.patch/m);
      expect(text).toMatch(/drivers\/dax\/kmem.c:\d+:\d+: error: /);
      expect(exitCode).toBe(1);
    },
  );

  test('is not built with a series whose second patch does not apply, which is named with its hunk', async () => {
    const series = await workFolder();
    await writeFile(join(series, '0001-first.patch'), await readFile(broken));
    await writeFile(
      join(series, '0002-second.patch'),
      (await readFile(broken, 'utf8')).replace(' drivers', '  drivers'),
    );
    const { exitCode, text } = await cxlrig(['run', 'current/region-to-kmem', '--patches', series]);
    expect(text).toMatch(/0002-second.patch .*\(patch 2 of 2\) does not apply to linux-source/);
    expect(text).toContain('patch failed: drivers/dax/kmem.c:126');
    expect(exitCode).toBe(2);
  });
});

describe('what the README tells authors of patches to type', () => {
  test('does what it says', { timeout: 15 * MINUTE }, async () => {
    const dir = await workFolder();
    const harmless = (await readFile(broken, 'utf8')).replace('MMOP_ONLINE_MOVABLE', '(online_type)');
    await writeFile(join(dir, '0001-dax-foo.patch'), harmless);
    const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
    const [, block] = [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, lines = '']) => lines);
    const commands = (block ?? '')
      .trim()
      .split('\n')
      .map((line) => line.replace(/ *#.*/, ''));
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const [, ...args] = command.split(' ');
      const { exitCode, text } = await cxlrig(args, { cwd: dir });
      expect(text).toMatch(/^ok |^1\/1 .* boots in /m);
      expect(exitCode).toBe(0);
    }
  });
});

describe('what the README tells somebody with a report to type', () => {
  test(
    'makes a case that fails on the kernel of the report and on one without the fix',
    {
      timeout: 20 * MINUTE,
    },
    async () => {
      const dir = await workFolder();
      const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
      const [, block = ''] = /## From a report to its cause.*?```console\n(.*?)```/s.exec(readme) ?? [];
      const commands = block.trim().split('\n');
      expect(commands).toHaveLength(5);
      for (const line of commands) {
        const [command = '', remark = ''] = line.split(/ +# /);
        const { exitCode, all } = await execa('sh', ['-c', inCheckout(command)], {
          ...{ cwd: dir, reject: false, all: true, stdin: 'ignore', timeout: 20 * MINUTE },
        });
        const [, expected = ''] = /^red: (.*)$/.exec(remark) ?? [];
        expect(all).toContain(expected);
        expect([command, exitCode]).toEqual([command, remark.startsWith('red') ? 1 : 0]);
      }
    },
  );

  const inCheckout = (command: string): string =>
    command.replace(/(?<= |^)(scripts|scenarios|kernel-configs)\//g, `${packageRoot}/$1/`);
});

describe('cxlrig bisect', () => {
  test(
    'finds the commit that broke a scenario, around one that does not build',
    { timeout: 30 * MINUTE },
    async () => {
      const dir = await workFolder();
      const tree = join(dir, 'linux.git');
      const remark = (number: number, path: string): Edit => ({
        subject: `change ${number}`,
        path,
        change: (text) => `${text}\n/* change ${number} */\n`,
      });
      const commits = await kernelRepository(tree, 'minimal', [
        remark(1, 'drivers/dax/device.c'),
        remark(2, 'drivers/dax/kmem.c'),
        remark(3, 'drivers/cxl/acpi.c'),
        remark(4, 'drivers/dax/kmem.c'),
        remark(5, 'drivers/dax/cxl.c'),
        {
          subject: 'does not build',
          path: 'drivers/dax/kmem.c',
          change: (text) => `${text}#error planted\n`,
        },
        {
          subject: 'builds again',
          path: 'drivers/dax/kmem.c',
          change: (text) => text.replace('#error planted\n', ''),
        },
        { subject: 'the planted bug', path: 'drivers/dax/kmem.c', change: breakKmem },
        remark(9, 'drivers/dax/device.c'),
        remark(10, 'drivers/dax/kmem.c'),
        remark(11, 'drivers/cxl/pmem.c'),
        remark(12, 'drivers/dax/kmem.c'),
      ]);
      const before = (await readdir(tree, { recursive: true })).sort();
      const { exitCode, text } = await cxlrig([
        ...['bisect', 'current/region-to-kmem', '-t', 'policy=offline', '--out', join(dir, 'runs')],
        ...['--tree', tree, '--good', commits[0] ?? '', '--bad', 'main'],
      ]);
      expect(text).toContain(
        `${commits[8] ?? ''} is the first bad commit\nAuthor: A Developer <developer@example.org>`,
      );
      expect(text).toMatch(/^ {4}the planted bug\n\nFAIL +current\/region-to-kmem \[policy=offline\]/m);
      expect(text).toMatch(/^ {2}skip {2}[0-9a-f]{12} \("does not build"\)\n.* does not build/m);
      expect(text).toMatch(/commits tested in .*, 1 of them skipped/);
      expect(exitCode).toBe(0);
      expect((await readdir(tree, { recursive: true })).sort()).toEqual(before);
      expect(await processesIn(dir)).toEqual([]);
    },
  );

  test('says at once that the good commit fails', { timeout: 10 * MINUTE }, async () => {
    const dir = await workFolder();
    const tree = join(dir, 'linux.git');
    const planted = { subject: 'the planted bug', path: 'drivers/dax/kmem.c', change: breakKmem };
    const repaired = { ...planted, subject: 'repaired', change: (text: string) => `${text}\n` };
    const [, good = ''] = await kernelRepository(tree, 'minimal', [planted, repaired]);
    const { exitCode, text } = await cxlrig([
      ...['bisect', 'current/region-to-kmem', '-t', 'policy=offline', '--out', join(dir, 'runs')],
      ...['--tree', tree, '--good', good, '--bad', 'main'],
    ]);
    expect(text).toMatch(/cxlrig: the good commit [0-9a-f]{12} fails: current\/region-to-kmem/);
    expect(text).toContain('name an older commit with --good');
    expect(exitCode).toBe(2);
  });
});

/** The broken patch turned into one that comes after it and does not compile. */
function uncompilable(patch: string): string {
  return patch
    .replace(/^-(\t+)online_type\);$/m, '-$1MMOP_ONLINE_MOVABLE);')
    .replace(/^\+(\t+)MMOP_ONLINE_MOVABLE\);$/m, '+$1MMOP_ONLINE_NOWHERE);');
}
