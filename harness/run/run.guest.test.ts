import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test, vi } from 'vitest';
import { packageRoot } from '../base/places.js';
import { writeFakeTree } from '../kernel/testing/fake-tree.js';
import type { RunSummary } from '../trace/trace.js';
import { builtCommand, cxlrig, processesIn, workFolder, type Finished } from '../testing/command.js';

const MINUTE = 60_000;

async function summaryIn(out: string): Promise<RunSummary & { readonly dir: string }> {
  const [run = ''] = (await readdir(out)).sort().slice(-1);
  const dir = join(out, run);
  return { ...(JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as RunSummary), dir };
}

/** What the README tells to type, without the remarks. */
async function readmeCommands(): Promise<string[]> {
  const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
  const [, block = ''] = /```sh\n(.*?)```/s.exec(readme) ?? [];
  return block.split('\n').flatMap((line) => line.replace(/ *#.*/, '') || []);
}

/** Types a command in the checkout's folder. */
async function typed(command: string): Promise<Finished> {
  const { exitCode, all } = await execa('sh', ['-c', command], {
    cwd: packageRoot,
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: 30 * MINUTE,
  });
  return { exitCode, text: all };
}

/** A scenario of one exec line, in a file of its own. */
async function scenarioOf(sh: string, more = ''): Promise<{ file: string; dir: string }> {
  const dir = await workFolder();
  const file = join(dir, 'mine.yaml');
  await writeFile(
    file,
    `cxlrig: 1\nname: mine\ndescription: a test\ntopology: one-volatile\n${more}steps:\n  - exec: { sh: '${sh}' }\n`,
  );
  return { file, dir };
}

describe('cxlrig run', () => {
  test(
    'passes every shipped scenario on the stock kernel and leaves all reports',
    { timeout: 40 * MINUTE },
    async () => {
      const out = await workFolder();
      const [everything = ''] = await readmeCommands();
      expect(everything).toBe('scripts/cxlrig run');
      const { exitCode, text } = await typed(`${everything} --out ${out}`);
      expect(text).not.toMatch(/^(FAIL|INFRA)/m);
      expect(exitCode).toBe(0);
      const { dir, counts } = await summaryIn(out);
      expect(counts).toMatchObject({ fail: 0, infra: 0 });
      // what only a patched kernel has is skipped, and told by what is missing, after what ran
      const skips = [...text.matchAll(/^(?:skipped {2}| {9}) (\d+) cases?: (.*)$/gm)];
      expect(skips.reduce((sum, [, cases]) => sum + Number(cases), 0)).toBe(counts.skip);
      for (const [, , reason] of skips) {
        expect(reason).toMatch(
          /^(no driver (dax|sysram|pmem)_region on the cxl bus|this kernel creates no dynamic capacity regions .*|what QEMU can't do takes the kernel's mocks .*|this cxl has no create-region --driver)$/,
        );
      }
      expect(text).toMatch(/cases\n\n(ok|known) /);
      expect(counts.skip).toBeGreaterThan(100);
      expect(counts.pass).toBeGreaterThan(45);
      expect(await readdir(dir)).toEqual(
        expect.arrayContaining(['junit.xml', 'results.json', 'results.ktap', 'report.html', 'run.json']),
      );
      for (const guest of await readdir(join(dir, 'guests'))) {
        expect((await readdir(join(dir, 'guests', guest))).sort()).toEqual([
          'console.log',
          'qemu.log',
          'qemu.sh',
        ]);
      }
      expect(await processesIn(out)).toEqual([]);
    },
  );

  test(
    'on 6.12 skips what that kernel lacks, with the reason, and passes the rest',
    { timeout: 40 * MINUTE },
    async () => {
      const out = await workFolder();
      const { exitCode, text } = await cxlrig(['run', 'current', '--kernel', 'debian-stable', '--out', out]);
      expect(text).not.toMatch(/^(FAIL|INFRA)/m);
      expect(text).toMatch(/^(skipped)? +\d+ cases: daxX\.Y\/state came with 7\.3$/m);
      expect(exitCode).toBe(0);
      const { counts } = await summaryIn(out);
      expect(counts.skip).toBeGreaterThan(15);
      expect(counts.pass).toBeGreaterThan(20);
    },
  );

  test(
    'asks again: so often, until one fails, or only what failed last',
    { timeout: 10 * MINUTE },
    async () => {
      const out = await workFolder();
      const scenario = async (name: string, sh: string): Promise<string> => {
        const file = join(out, `${name}.yaml`);
        const lines = ['cxlrig: 1', `name: ${name}`, 'description: for --repeat', 'topology: one-volatile'];
        await writeFile(file, [...lines, 'steps:', `  - exec: { sh: '${sh}' }`, ''].join('\n'));
        return file;
      };
      const sound = await scenario('sound', 'true');
      const racy = await scenario(
        'racy',
        'case $(cat /proc/sys/kernel/random/uuid) in [0-3]*) exit 1;; esac',
      );
      const run = (...args: string[]) => typed(['scripts/cxlrig run -j 1 --out', out, ...args].join(' '));
      const passed = await run(sound, '--repeat 3');
      expect(passed.text).toContain('sound: failed in 0 of 3 runs (with 95 % confidence below 56 %)');
      expect(passed.exitCode).toBe(0);
      // a quarter of them fails: that none of 100 does happens once in 3,000,000,000,000 times
      const failed = await run(racy, '--until-fail 100');
      const [, turn = '?'] = /^FAIL +racy #(\d+)/m.exec(failed.text) ?? [];
      expect(failed.text).toMatch(
        new RegExp(`^racy: failed in 1 of ${turn} runs \\(.* %; with 95 % confidence`, 'm'),
      );
      expect(failed.text).toMatch(/^1 case in .*: 1 fail$/m);
      expect(failed.exitCode).toBe(1);
      expect((await run(sound, racy, '--last-failed')).text).toMatch(/^1 case in /m);
      const again = await run(sound, '--changed');
      expect(again.text).toContain('nothing has changed since 1 case passed');
      expect(again.exitCode).toBe(0);
    },
  );

  test("does what the README's other commands and its scenario say", { timeout: 20 * MINUTE }, async () => {
    const dir = await workFolder();
    const [, ...others] = await readmeCommands();
    expect(others.length).toBeGreaterThan(0);
    for (const command of others) {
      const { exitCode, text } = await typed(`${command} --out ${dir}/runs`);
      expect(text).toMatch(/^ok /m);
      expect(exitCode).toBe(0);
    }
    const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
    const [, scenario = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? [];
    await writeFile(join(dir, 'example.yaml'), scenario);
    const { exitCode, text } = await cxlrig(['run', join(dir, 'example.yaml'), '--out', `${dir}/runs`]);
    expect(text).toContain('1 pass');
    expect(exitCode).toBe(0);
  });

  test(
    'fails exactly the case whose expectation was changed, at its line',
    { timeout: 10 * MINUTE },
    async () => {
      const dir = await workFolder();
      const shipped = await readFile(join(packageRoot, 'scenarios/current/region-to-kmem.yaml'), 'utf8');
      const changed = shipped.replace(
        '{ policy: offline, state: offline, online: 0 }',
        '{ policy: offline, state: offline, online: 1 }',
      );
      expect(changed).not.toBe(shipped);
      const file = join(dir, 'changed.yaml');
      await writeFile(file, changed);
      const { exitCode, text } = await cxlrig([
        'run',
        file,
        '-t',
        'offline|movable',
        '--out',
        dir,
        '--jobs',
        '1',
      ]);
      expect(exitCode).toBe(1);
      expect(text).toMatch(/1 pass, 1 fail|1 fail, 1 pass/);
      expect(text).toMatch(/^FAIL +\S*changed \[policy=offline\]/m);
      const line = changed.split('\n').findIndex((one) => one.includes("online: '${online}'")) + 1;
      expect(text).toMatch(new RegExp(`> ${line} \\|`));
      expect(text).toMatch(/expected +1\n/);
      expect(text).toMatch(/received +0\n/);
    },
  );

  test("calls a panic in a step the kernel's failure and shows it", { timeout: 10 * MINUTE }, async () => {
    const { file, dir } = await scenarioOf('echo c > /proc/sysrq-trigger');
    const { exitCode, text } = await cxlrig(['run', file, '--out', dir]);
    expect(text).toMatch(/^FAIL/m);
    expect(text).toMatch(/sysrq triggered crash/i);
    expect(exitCode).toBe(1);
  });

  test(
    'ends on Ctrl-C within seconds, with no guest and no secret left, and exit code 130',
    { timeout: 10 * MINUTE },
    async () => {
      const { file, dir } = await scenarioOf('sleep 100');
      const command = execa('node', [builtCommand, 'run', file, '--out', join(dir, 'runs')], {
        reject: false,
        stdin: 'ignore',
      });
      await vi.waitFor(async () => expect(await processesIn(dir)).not.toEqual([]), {
        timeout: MINUTE,
        interval: 100,
      });
      command.kill('SIGINT');
      const { exitCode } = await command;
      expect(exitCode).toBe(130);
      await vi.waitFor(async () => expect(await processesIn(dir)).toEqual([]), {
        timeout: 10_000,
        interval: 100,
      });
      const left = (await readdir(dir, { recursive: true })).filter((name) => /initrd|key|sock/.test(name));
      expect(left).toEqual([]);
    },
  );

  test('leaves no guest behind when it is killed', { timeout: 10 * MINUTE }, async () => {
    const { file, dir } = await scenarioOf('sleep 100');
    const command = execa('node', [builtCommand, 'run', file, '--out', dir], {
      reject: false,
      stdin: 'ignore',
    });
    await vi.waitFor(async () => expect(await processesIn(dir)).not.toEqual([]), {
      timeout: MINUTE,
      interval: 100,
    });
    command.kill('SIGKILL');
    await command;
    await vi.waitFor(async () => expect(await processesIn(dir)).toEqual([]), {
      timeout: 10_000,
      interval: 100,
    });
  });

  test(
    'works as an installed package, from a folder that has nothing to do with it',
    { timeout: 15 * MINUTE },
    async () => {
      const { file, dir } = await scenarioOf('cxl list -M', 'matrix: { turn: [1, 2] }\n');
      const npm = { cwd: dir, stdin: 'ignore' } as const;
      const { stdout } = await execa('npm', ['pack', packageRoot, '--json', '--loglevel=error'], npm);
      const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
      await writeFile(join(dir, 'package.json'), '{ "private": true }\n');
      await execa('npm', ['install', '--ignore-scripts', '--loglevel=error', `./${filename}`], npm);
      const doctor = await execa('npx', ['cxlrig', 'doctor'], { ...npm, reject: false });
      expect(doctor.stdout).toContain('This machine can run guests.');
      const run = await execa('npx', ['cxlrig', 'run', file], { ...npm, reject: false });
      expect(run.stdout).toContain('2 pass');
      expect(run.exitCode).toBe(0);
      expect(await readdir(join(dir, '.cxlrig/runs'))).toHaveLength(1);
    },
  );
});

describe('cxlrig run, before anything is booted,', () => {
  test('names a broken scenario with its line and exits 2', async () => {
    const { file, dir } = await scenarioOf('true', 'steqs: []\n');
    const { exitCode, text } = await cxlrig(['run', file, '--out', join(dir, 'runs')]);
    expect(exitCode).toBe(2);
    expect(text).toContain(`${file}:5:1`);
    expect(text).toContain('steps');
    expect(await readdir(dir)).not.toContain('runs');
  });

  test('names every broken scenario, not only the first', async () => {
    const { file, dir } = await scenarioOf('true', 'steqs: []\n');
    const other = join(dir, 'other.yaml');
    await writeFile(other, (await readFile(file, 'utf8')).replace('steqs: []', 'titel: x'));
    const { exitCode, text } = await cxlrig(['run', file, other]);
    expect(exitCode).toBe(2);
    expect(text).toContain(`${file}:5:1`);
    expect(text).toContain(`${other}:5:1`);
  });

  test('ends quietly when nobody reads on', async () => {
    const { stdout, stderr } = await execa('bash', ['-c', `node '${builtCommand}' list cases | head -n 1`]);
    expect(stdout).toMatch(/./);
    expect(stderr).toBe('');
  });

  test.each([
    [
      'patches for a kernel that is not built here',
      ['run', '-k', 'stock', '--patches', 'x'],
      '--kernel minimal',
    ],
    [
      'a folder that is no kernel tree',
      ['run', '--kernel-tree', '.'],
      'the top folder of the kernel sources',
    ],
    ['a patch that is not there', ['run', '--patches', 'nowhere.patch'], 'existing folder, mailbox or patch'],
    ['an unknown scenario', ['run', 'current/region-to-kmen'], 'region-to-kmem'],
    ['an unknown kernel', ['run', '--kernel', 'stok'], 'stock'],
    ['an unknown topology', ['run', '--topology', 'one-volatil'], 'one-volatile'],
    ['a pattern that nothing matches', ['run', '-t', 'no such case'], 'cxlrig list cases'],
    ['an unknown flag', ['run', '--kernal', 'stock'], '--kernel'],
    ['an unknown verb', ['rum'], 'run'],
    ['a shard that does not exist', ['run', '--shard', '3/2'], 'i/n'],
  ])('refuses %s with exit code 2 and says what to type', async (_, args, hint) => {
    const { exitCode, text } = await cxlrig(args);
    expect(exitCode).toBe(2);
    expect(text).toContain(hint);
  });

  test('tells git bisect to skip a kernel that does not build, and to stop when the question is wrong', async () => {
    const dir = await workFolder();
    await writeFakeTree(join(dir, 'linux'));
    await writeFile(join(dir, 'linux/drivers/dax/kmem.c'), '#error planted\n');
    const profile = join(dir, 'fake.yaml');
    await writeFile(profile, 'cxlrig: 1\ndescription: a fake\nsource: { tree: linux }\n');
    const step = ['run', '--kernel', profile, '--bisect-exit-codes'];
    const options = { env: { CXLRIG_CACHE: join(dir, 'cache') } };
    const unbuilt = await cxlrig([...step, 'current/cxl-cli', '--out', join(dir, 'runs')], options);
    expect(unbuilt.text).toContain('drivers/dax/kmem.c:1:2: error: planted');
    expect(unbuilt.exitCode).toBe(125);
    expect(await readdir(join(dir, 'runs'))).toEqual([]);
    const wrong = await cxlrig([...step, 'current/no-such'], options);
    expect(wrong.exitCode).toBe(128);
  });

  test('exits 3 with the remedy when QEMU is missing', async () => {
    const { exitCode, text } = await cxlrig(['run', 'current/cxl-cli'], {
      env: { CXLRIG_QEMU: '/nonexistent/qemu' },
    });
    expect(exitCode).toBe(3);
    expect(text).toContain('doctor');
  });

  test('exits 3 when QEMU is too old', async () => {
    const dir = await workFolder();
    const old = join(dir, 'qemu');
    await writeFile(old, '#!/bin/sh\necho QEMU emulator version 7.2.0\n', { mode: 0o755 });
    const { exitCode, text } = await cxlrig(['run', 'current/cxl-cli'], { env: { CXLRIG_QEMU: old } });
    expect(exitCode).toBe(3);
    expect(text).toMatch(/7\.2.*9\.1/s);
  });

  test("exits 3 when the run's folder cannot be made", async () => {
    const { exitCode, text } = await cxlrig(['run', 'current/cxl-cli', '--out', '/proc/nowhere']);
    expect(exitCode).toBe(3);
    expect(text).toContain('--out');
  });
});
