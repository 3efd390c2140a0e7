import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { packageRoot } from '../base/places.js';
import { BuildToolsMissing, buildTools, requireBuildTools } from '../kernel/index.js';
import { withBuildTools } from './install.js';

/**
 * scripts/cxlrig in a checkout of its own, on a machine whose programs are these: real ones for the script itself,
 * recorders for what it would start.
 */
let dir: string;
let bin: string;
let checkout: string;
let temporary: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-bootstrap-'));
  [bin, checkout, temporary] = ['bin', 'checkout', 'tmp'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [
    bin,
    temporary,
    ...['scripts', 'harness', 'dist/harness/cli'].map((name) => join(checkout, name)),
  ])
    await mkdir(folder, { recursive: true });
  for (const name of ['cxlrig', 'bootstrap'])
    await copyFile(join(packageRoot, 'scripts', name), join(checkout, 'scripts', name));
  await chmod(join(checkout, 'scripts/cxlrig'), 0o755);

  for (const name of REAL) await symlink(pathOf(name), join(bin, name));
  await fake('node', `[ "$1" = --version ] && echo v20.19.0 || echo "node $*" >>${dir}/log`);
  await fake(
    'npm',
    `echo "npm $*" >>${dir}/log; mkdir -p node_modules dist; sleep 0.2; touch node_modules/.package-lock.json`,
  );
  await fake('qemu-system-x86_64', 'echo "QEMU emulator version 10.0.2 (Debian)"');
  for (const name of ['mmdebstrap', 'dpkg-deb', 'depmod', 'cpio', 'xz', 'zstd', 'setpriv', 'git'])
    await fake(name, '');
  await fake('apt-get', aptGet());
  await fake('apt-cache', 'printf "qemu-system-x86:\\n  Candidate: 1:10.0.2+ds-2\\n"');
  await fake('id', 'echo 0');
  await fake('env', 'shift; exec "$@"');

  const long = new Date(Date.now() - 60_000);
  for (const name of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'harness/main.ts',
    'harness/main.test.ts',
  ]) {
    await writeFile(join(checkout, name), '{}');
    await utimes(join(checkout, name), long, long);
  }
  await mkdir(join(checkout, 'node_modules'));
  for (const name of ['node_modules/.package-lock.json', 'dist/.built'])
    await writeFile(join(checkout, name), '');
  await writeFile(join(dir, 'os-release'), 'ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n');
});
afterEach(() => rm(dir, { recursive: true }));

const REAL = 'sh dirname readlink sed find head touch mkdir rm mktemp chmod ln flock cat sleep'.split(' ');

const mainJs = () => join(checkout, 'dist/harness/cli/main.js');

describe('when all is there, scripts/cxlrig', () => {
  test('starts cxlrig with its arguments and does nothing else', async () => {
    const { exitCode, stderr } = await cxlrig('run', 'a b', '--jobs', '2');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(await log()).toEqual([`node ${mainJs()} run a b --jobs 2`]);
  });

  test('works from elsewhere and through a link', async () => {
    await symlink(join(checkout, 'scripts/cxlrig'), join(dir, 'linked'));
    const { exitCode } = await execa(join(dir, 'linked'), ['list'], {
      ...options(),
      cwd: '/',
      reject: false,
    });
    expect(exitCode).toBe(0);
    expect(await log()).toEqual([`node ${mainJs()} list`]);
  });

  test('does not build for a changed test', async () => {
    await writeFile(join(checkout, 'harness/main.test.ts'), 'changed');
    await cxlrig('run');
    expect(await log()).toEqual([`node ${mainJs()} run`]);
  });
});

describe('a checkout that is not up to date', () => {
  test('gets its Node packages when the lock file is newer, and is announced', async () => {
    await writeFile(join(checkout, 'package-lock.json'), '{ }');
    const future = new Date(Date.now() + 5000);
    await utimes(join(checkout, 'package-lock.json'), future, future);
    const { stderr } = await cxlrig('list');
    expect(stderr).toContain('installing the Node packages');
    expect((await log())[0]).toMatch(/^npm ci /);
  });

  test('is built when a source is newer than the build, once', async () => {
    const future = new Date(Date.now() + 100);
    await writeFile(join(checkout, 'harness/main.ts'), 'changed');
    await utimes(join(checkout, 'harness/main.ts'), future, future);
    const { stderr } = await cxlrig('list');
    expect(stderr).toContain('building');
    await cxlrig('list');
    expect((await log()).filter((line) => line.startsWith('npm'))).toEqual(['npm run --silent build']);
  });

  test('is prepared by one of two that start at once', async () => {
    await rm(join(checkout, 'node_modules/.package-lock.json'));
    await Promise.all([cxlrig('list'), cxlrig('list')]);
    expect((await log()).filter((line) => line.startsWith('npm ci'))).toHaveLength(1);
  });

  test('says that the build failed and starts nothing', async () => {
    await rm(join(checkout, 'dist/.built'));
    await fake('npm', 'echo "x.ts(1,1): error" ; exit 2');
    const { exitCode, stderr } = await cxlrig('list');
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/error[^]*the build failed/);
    expect(await log()).toEqual([]);
  });
});

describe('Node', () => {
  test.each(['v18.20.4', 'v20.18.1'])('%s is too old', async (version) => {
    await fake('node', `echo ${version}`);
    const { exitCode, stderr } = await cxlrig('run');
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`${version} is too old; cxlrig needs Node >= 20.19`);
  });

  test.each(['v20.19.0', 'v22.1.0', 'v24.0.0'])('%s is new enough', async (version) => {
    await fake('node', `echo ${version}`);
    expect((await cxlrig('run')).exitCode).toBe(0);
  });

  test('may be missing altogether', async () => {
    await rm(join(bin, 'node'));
    const { exitCode, stderr } = await cxlrig('run');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('Node.js is missing');
  });
});

describe('on a machine with apt, what is missing', () => {
  test('is announced, then installed without recommendations, without a question', async () => {
    await rm(join(bin, 'mmdebstrap'));
    const { exitCode, stdout, stderr } = await cxlrig('run');
    expect(exitCode).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('about to install, with what they depend on: mmdebstrap');
    const install = (await log()).find((line) => line.includes(' install '));
    expect(install).toMatch(/ -y --no-install-recommends .* install mmdebstrap$/);
    expect((await log()).at(-1)).toBe(`node ${mainJs()} run`);
  });

  test('is found program by program', async () => {
    for (const name of ['zstd', 'git', 'xz']) await rm(join(bin, name));
    expect((await missingFor('', {}, bin)).split('\n')).toEqual(['xz', 'zstd', 'git']);
  });

  test('is what builds kernels for those who build one, as harness/kernel asks for it', async () => {
    const missing = (await missingFor('with_build_tools=yes', {}, bin)).split('\n');
    const installed = buildTools().map(({ name }) => name);
    // headers are looked for where this machine has them; the rest of the programs are in every run's list
    expect(missing).toEqual(installed.filter((name) => !/\.h$|^(git|depmod|xz)$/.test(name)));
  });

  test('is a browser only for those who test the report in one', async () => {
    const absent = { CXLRIG_CHROMIUM: join(dir, 'chromium') };
    const user = await cxlrig('run');
    expect(user).toMatchObject({ exitCode: 0, stderr: '' });
    const tester = await missingFor('with_test_tools=yes', absent);
    expect(tester).toBe('chromium');
    expect(await missingFor('with_test_tools=yes', { CXLRIG_CHROMIUM: join(bin, 'mmdebstrap') })).toBe('');
    expect(await missingFor('', absent)).toBe('');
  });

  test('is not installed for verbs that boot nothing', async () => {
    await rm(join(bin, 'mmdebstrap'));
    for (const verb of ['check', 'schema', 'list', 'doctor', '--help']) await cxlrig(verb);
    expect((await log()).filter((line) => line.startsWith('apt-get'))).toEqual([]);
  });

  test('leaves apt’s own lists and sources alone, and nothing behind', async () => {
    await rm(join(bin, 'mmdebstrap'));
    await cxlrig('run');
    for (const line of (await log()).filter((entry) => entry.startsWith('apt-get'))) {
      expect(line).toContain(`Dir::State::lists=${temporary}/`);
      expect(line).toContain(`Dir::Etc::sourceparts=${temporary}/`);
    }
    expect(await readdir(temporary)).toEqual([]);
  });

  test('comes from backports where the release’s own QEMU is too old', async () => {
    await fake('qemu-system-x86_64', 'echo "QEMU emulator version 7.2.18 (Debian)"');
    await fake(
      'apt-cache',
      `[ -e ${dir}/updated-twice ] && v=1:10.0.2+ds || v=1:7.2+dfsg; printf "qemu-system-x86:\\n  Candidate: $v\\n"`,
    );
    const { exitCode, stderr } = await cxlrig('run');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('QEMU from bookworm-backports; your apt sources stay as they are');
    expect(await readFile(join(dir, 'cxlrig-backports.list'), 'utf8')).toMatch(
      /^deb .*http:\/\/near\.example\/debian\/ bookworm-backports main\n$/,
    );
  });

  test('is named when the release is too old and has no backports', async () => {
    await fake('qemu-system-x86_64', 'echo "QEMU emulator version 8.2.2"');
    await fake('apt-cache', 'printf "qemu-system-x86:\\n  Candidate: 1:8.2.2+ds-0ubuntu1\\n"');
    await writeFile(
      join(dir, 'os-release'),
      'ID=ubuntu\nVERSION_CODENAME=noble\nPRETTY_NAME="Ubuntu 24.04"\n',
    );
    const { exitCode, stderr } = await cxlrig('run');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('Ubuntu 24.04 has 8.2.2');
    expect(stderr).toContain('CXLRIG_QEMU');
  });

  test('is not installed without root rights or a sudo that works', async () => {
    await rm(join(bin, 'mmdebstrap'));
    await fake('id', 'echo 1000');
    await fake('sudo', 'exit 1');
    const { exitCode, stderr } = await cxlrig('run');
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/missing: mmdebstrap\. Root rights are needed[^]*nothing was changed/);
    expect(await log()).toEqual([]);
  });

  test('is installed by sudo where that works', async () => {
    await rm(join(bin, 'mmdebstrap'));
    await fake('id', 'echo 1000');
    await fake('sudo', `[ "$1" = -n ] && exit 0; echo "sudo $*" >>${dir}/log; exec "$@"`);
    expect((await cxlrig('run')).exitCode).toBe(0);
    expect((await log()).find((line) => line.startsWith('sudo'))).toContain('install mmdebstrap');
  });

  test('that apt can’t fetch ends in its messages and exit code 3, with nothing left behind', async () => {
    await rm(join(bin, 'mmdebstrap'));
    await fake('apt-get', 'echo "E: Temporary failure resolving"; exit 100');
    const { exitCode, stderr } = await cxlrig('run');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('Temporary failure resolving');
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe('work that comes to build a kernel', () => {
  let attempts: number;
  const work = async (): Promise<string> => {
    attempts += 1;
    requireBuildTools([{ name: 'flex', package: 'flex', present: existsSync(join(bin, 'flex')) }]);
    return Promise.resolve('built');
  };
  beforeEach(async () => {
    attempts = 0;
    for (const name of ['make', 'gcc', 'ld', 'bison', 'bc', 'perl']) await fake(name, '');
    for (const [name, value] of Object.entries(options().env)) vi.stubEnv(name, value);
  });
  afterEach(() => vi.unstubAllEnvs());

  test('is done again when what it lacks has been installed', async () => {
    expect(await withBuildTools(work, checkout)).toBe('built');
    expect(attempts).toBe(2);
    expect((await log()).find((line) => line.includes(' install '))).toMatch(/ install flex$/);
    expect(await withBuildTools(work, checkout)).toBe('built');
    expect(attempts).toBe(3);
  });

  test('ends with what it lacks where nobody may install it', async () => {
    await fake('id', 'echo 1000');
    await expect(withBuildTools(work, checkout)).rejects.toThrow(BuildToolsMissing);
    expect(await log()).toEqual([]);
  });
});

describe('on a machine without apt', () => {
  beforeEach(async () => {
    for (const name of ['apt-get', 'apt-cache', 'mmdebstrap', 'qemu-system-x86_64', 'cpio'])
      await rm(join(bin, name));
  });

  test.each([
    ['ID=fedora', 'dnf install qemu-system-x86-core mmdebstrap apt cpio'],
    ['ID=rocky\nID_LIKE="rhel centos fedora"', 'dnf install qemu-system-x86-core mmdebstrap apt cpio'],
    ['ID=arch', 'pacman -S qemu-system-x86 apt cpio'],
    ['ID=opensuse-tumbleweed\nID_LIKE="opensuse suse"', 'zypper install qemu-x86 cpio'],
    ['ID=alpine', 'apk add qemu-system-x86_64 apt cpio'],
  ])('with %s, it names that distribution’s packages and changes nothing', async (osRelease, command) => {
    await writeFile(join(dir, 'os-release'), `${osRelease}\n`);
    const { exitCode, stderr } = await cxlrig('run');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('nothing was changed');
    expect(stderr).toContain(command);
    expect(await log()).toEqual([]);
  });

  test('what the distribution has no package of is told apart', async () => {
    await writeFile(join(dir, 'os-release'), 'ID=arch\nPRETTY_NAME="Arch Linux"\n');
    expect((await cxlrig('run')).stderr).toMatch(/not among Arch Linux's own packages.*: mmdebstrap/);
  });

  test('of an unknown kind, it still lists what is missing', async () => {
    await rm(join(dir, 'os-release'));
    const { exitCode, stderr } = await cxlrig('run');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('Missing: qemu mmdebstrap apt-get cpio');
  });
});

/** Records its calls; an update leaves the extra source where the test finds it, an installation brings mmdebstrap and QEMU. */
function aptGet(): string {
  return `
echo "apt-get $*" >>${dir}/log
for word; do case $word in Dir::Etc::sourceparts=*) sources=\${word#*=} ;; esac; done
case " $* " in
*' update '*)
  if [ -e "$sources/cxlrig-backports.list" ]; then
    cat "$sources/cxlrig-backports.list" >${dir}/cxlrig-backports.list
    touch ${dir}/updated-twice
  fi ;;
*' indextargets '*) echo 'Debian|Debian|bookworm|http://near.example/debian/' ;;
*' install '*)
  printf '#!/bin/sh\\n' >${bin}/mmdebstrap
  printf '#!/bin/sh\\necho QEMU emulator version 10.0.2\\n' >${bin}/qemu-system-x86_64
  printf '#!/bin/sh\\n' >${bin}/flex
  chmod 755 ${bin}/mmdebstrap ${bin}/qemu-system-x86_64 ${bin}/flex ;;
esac`;
}

async function fake(name: string, script: string): Promise<void> {
  await rm(join(bin, name), { force: true });
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}

function options() {
  return {
    extendEnv: false,
    stdin: 'ignore',
    // an absolute sbin is appended by the script; the tests' own folder comes first
    env: { PATH: bin, TMPDIR: temporary, CI: 'true', CXLRIG_OS_RELEASE: join(dir, 'os-release') },
  } as const;
}

function cxlrig(...args: string[]) {
  return execa(join(checkout, 'scripts/cxlrig'), args, { ...options(), reject: false });
}

/** What scripts/bootstrap finds missing with such variables of the shell and of the environment. */
async function missingFor(
  shell: string,
  env: Readonly<Record<string, string>>,
  path = `${bin}:/usr/bin:/bin`,
): Promise<string> {
  const script = `root=${checkout}; . "$root/scripts/bootstrap"; ${shell}\nmissing_programs`;
  const { stdout } = await execa('sh', ['-c', script], {
    ...options(),
    env: { ...options().env, ...env, PATH: path },
  });
  return stdout;
}

async function log(): Promise<string[]> {
  const file = join(dir, 'log');
  return existsSync(file) ? (await readFile(file, 'utf8')).trimEnd().split('\n') : [];
}

function pathOf(program: string): string {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the tests of scripts/cxlrig need ${program}`);
  return found;
}
