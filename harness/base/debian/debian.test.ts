import { chmod, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { debianSuite, PackageGone } from './debian.js';
import { RigError, UsageError } from '../errors.js';
import type { ProgressUpdate } from '../progress.js';

/**
 * An apt-get that answers from two files, `packages` (a Packages file) and `mode` (`online`, `offline`, `gone`), and
 * records what it was asked. The real one is in debian.guest.test.ts.
 */
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-debian-'));
  await writeFile(join(dir, 'keyring'), '');
  await writeFile(join(dir, 'packages'), packagesFile('6.12.94-1'));
  await writeFile(join(dir, 'mode'), 'online');
  await writeFile(join(dir, 'apt-get'), APT_GET);
  await chmod(join(dir, 'apt-get'), 0o755);
  vi.stubEnv('PATH', [dir, process.env['PATH']].join(delimiter));
  vi.stubEnv('FAKE', dir);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

const APT_GET = `#!/bin/sh
echo "$*" >>$FAKE/calls
read -r mode <$FAKE/mode
for word; do case $word in Dir::State::lists=*) lists=\${word#*=} ;; esac; done
case " $* " in
*' update '*)
  [ "$mode" != offline ] || { echo 'E: Failed to fetch: Temporary failure resolving'; exit 100; }
  [ -z "$lists" ] || printf 'Suite: stable\\nCodename: trixie\\n' >$lists/near_debian_dists_stable_InRelease
  cp $FAKE/packages $FAKE/index
  ;;
*' indextargets '*) echo "trixie $FAKE/index" ;;
*' install '*) printf 'Inst b (2 Debian [amd64])\\nInst a (1:1-1 Debian [amd64]) []\\nConf a (1)\\n' ;;
*' download '*)
  [ "$mode" = online ] || { echo 'E: Failed to fetch http://near/x.deb  404  Not Found [IP: ::1 80]'; exit 100; }
  echo 'dlstatus:1:50.0:half' >&3
  ;;
esac
`;

function packagesFile(version: string): string {
  return `Package: linux-image-${version}\nVersion: ${version}\nArchitecture: amd64\nFilename: pool/x.deb\nSize: 1000000\nSHA256: 00\n`;
}

function suite(options: Parameters<typeof debianSuite>[0] = {}) {
  return debianSuite({
    suites: ['stable'],
    mirror: 'http://near.example/debian',
    root: join(dir, 'root'),
    keyring: join(dir, 'keyring'),
    ...options,
  });
}

const calls = async (verb: string) =>
  (await readFile(join(dir, 'calls'), 'utf8'))
    .split('\n')
    .filter((line) => ` ${line} `.includes(` ${verb} `));

/** Lets the index be older than any limit. */
async function age(): Promise<void> {
  for (const root of await readdir(join(dir, 'root')))
    await utimes(join(dir, 'root', root, 'refreshed'), new Date(0), new Date(0));
}

describe('a look-up', () => {
  test('resolves the alias to the codename and fetches packages by that', async () => {
    const found = await suite().resolve('linux-image-*', { suite: 'stable' });
    expect(found).toMatchObject({ name: 'linux-image-6.12.94-1', suite: 'trixie' });
    const [root = ''] = await readdir(join(dir, 'root'));
    expect(await readFile(join(dir, 'root', root, 'debian.sources'), 'utf8')).toContain('Suites: trixie\n');
  });

  test('is answered from memory by another process, without apt', async () => {
    await suite().resolve('linux-image-*');
    await suite().closure(['a', 'b']);
    await rm(join(dir, 'calls'));
    await suite().resolve('linux-image-*');
    expect(await suite().closure(['a', 'b'])).toEqual(['a=1:1-1', 'b=2']);
    await expect(readFile(join(dir, 'calls'))).rejects.toThrow('ENOENT');
  });

  test('sees a newer version after the index has become old', async () => {
    await suite().resolve('linux-image-*');
    await writeFile(join(dir, 'packages'), packagesFile('6.12.107-1'));
    expect((await suite().resolve('linux-image-*')).version).toBe('6.12.94-1');
    await age();
    expect((await suite().resolve('linux-image-*')).version).toBe('6.12.107-1');
  });

  test('may be asked for by many at once', async () => {
    const found = await Promise.all(Array.from({ length: 8 }, () => suite().resolve('linux-image-*')));
    expect(new Set(found.map(({ version }) => version))).toEqual(new Set(['6.12.94-1']));
    expect((await readdir(join(dir, 'root'))).filter((name) => name.includes('.'))).toEqual([]);
  });

  test('for a name that is not there says where it looked', async () => {
    await expect(suite().resolve('linux-image-9*', { suite: 'stable' })).rejects.toMatchObject({
      stage: 'download',
      message: expect.stringContaining('stable') as string,
    });
  });

  test('in a suite that was not opened is a mistake', async () => {
    await expect(suite().resolve('x', { suite: 'sid' })).rejects.toBeInstanceOf(UsageError);
  });
});

describe('without a network', () => {
  test('the old index serves, with a notice, and the refresh is not tried again at once', async () => {
    await suite().resolve('linux-image-*');
    await age();
    await writeFile(join(dir, 'mode'), 'offline');
    const updates: ProgressUpdate[] = [];
    const found = await suite({ progress: (update) => updates.push(update) }).resolve('linux-image-*');
    expect(found.version).toBe('6.12.94-1');
    expect(updates.at(-1)?.detail).toContain('could not be refreshed');
    const tries = (await calls('update')).length;
    await suite().resolve('linux-image-*');
    expect(await calls('update')).toHaveLength(tries);
  });

  test('and without an index, the failure has apt’s words and a remedy', async () => {
    await writeFile(join(dir, 'mode'), 'offline');
    const failure = await suite()
      .resolve('linux-image-*')
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RigError);
    expect(failure).toMatchObject({
      stage: 'download',
      evidence: ['E: Failed to fetch: Temporary failure resolving'],
      remedy: expect.stringContaining('CXLRIG_MIRROR') as string,
    });
  });
});

describe('a download', () => {
  test('gives the paths by name, version and architecture, and tells its progress', async () => {
    const opened = suite();
    const updates: ProgressUpdate[] = [];
    const found = await opened.resolve('linux-image-*');
    const paths = await opened.download([{ ...found, version: '1:2-3' }], dir, (update) =>
      updates.push(update),
    );
    expect(paths).toEqual([join(dir, 'linux-image-6.12.94-1_1%3a2-3_amd64.deb')]);
    expect(updates.map(({ fraction }) => fraction)).toEqual([0, 0.5, 1]);
    expect(updates[1]?.detail).toBe('0.5 of 1.0 MB');
  });

  test('of a version that has left the mirror is done again on a fresh index', async () => {
    const opened = suite();
    const seen: string[] = [];
    await opened.using(async () => {
      const found = await opened.resolve('linux-image-*');
      seen.push(found.version);
      await writeFile(join(dir, 'mode'), seen.length === 1 ? 'gone' : 'online');
      await writeFile(join(dir, 'packages'), packagesFile('6.12.107-1'));
      await opened.download([found], dir);
    });
    expect(seen).toEqual(['6.12.94-1', '6.12.107-1']);
  });

  test('that stays impossible fails after one more try', async () => {
    const opened = suite();
    const found = await opened.resolve('linux-image-*');
    await writeFile(join(dir, 'mode'), 'gone');
    let tries = 0;
    const job = opened.using(() => {
      tries++;
      return opened.download([found], dir);
    });
    await expect(job).rejects.toBeInstanceOf(PackageGone);
    expect(tries).toBe(2);
  });
});

test('a cache that can’t be written is named with a remedy', async () => {
  await writeFile(join(dir, 'file'), '');
  await expect(suite({ root: join(dir, 'file', 'apt') }).resolve('x')).rejects.toMatchObject({
    stage: 'host',
    remedy: expect.stringContaining('CXLRIG_CACHE') as string,
  });
});

test('a host without apt is told what is missing', async () => {
  vi.stubEnv('PATH', join(dir, 'empty'));
  await expect(suite().resolve('x')).rejects.toMatchObject({
    stage: 'host',
    message: expect.stringContaining('apt-get is missing') as string,
  });
});
