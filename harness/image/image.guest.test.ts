import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveKernel } from '../kernel/index.js';
import { testGuest } from '../testing/guest.js';
import { buildImage } from './index.js';
import { readRecipe } from './recipe.js';

const TIMEOUT = { timeoutMs: 60_000 };

describe.each(['stock', 'debian-stable'])('the image for %s', (profile) => {
  test('boots with every endpoint there, and has all that the recipe names', async () => {
    const kernel = await resolveKernel(profile);
    const { initramfs } = await buildImage(kernel);
    const guest = await testGuest('mixed', { kernel, initramfs });
    const sh = async (line: string) => (await guest.exec(line, TIMEOUT)).stdout.toString().trim();

    // "ready" means that probing is over: nothing is waited for here
    const memdevs = Number(await sh('ls -d /sys/bus/cxl/devices/mem* | wc -l'));
    expect(memdevs).toBeGreaterThan(0);
    expect(Number(await sh('ls -d /sys/bus/cxl/devices/endpoint* | wc -l'))).toBe(memdevs);

    const recipe = await readRecipe();
    const tools = [
      'cxl',
      'daxctl',
      'ndctl',
      'kmod',
      'perl',
      'dropbear',
      ...recipe.applets.filter((name) => name !== '['),
    ];
    expect(await sh(`for t in ${tools.join(' ')}; do command -v $t >/dev/null || echo $t; done`)).toBe('');
    // links that lead nowhere, and applets that this busybox does not have
    expect(await sh('find /usr/bin /usr/sbin -type l ! -exec test -e {} \\; -print')).toBe('');
    expect(
      await sh(
        'busybox --list >/tmp/a; cd /usr/bin; for f in *; do [ "$(readlink $f)" != busybox ] || grep -qxF "$f" /tmp/a || echo $f; done',
      ),
    ).toBe('');
    expect(await sh('cxl list -M | grep -c memdev')).toBe(String(memdevs));
    expect(await sh(`perl -e 'print syscall(39) == $$ ? "same" : "other"'`)).toBe('same');

    expect(
      await sh(
        'lsmod | cut -d" " -f1 | grep -xE "kmem|device_dax|dax_cxl|cxl_pmem|nd_pmem" | sort | tr "\\n" " "',
      ),
    ).toBe('cxl_pmem dax_cxl device_dax kmem nd_pmem');
    expect(await sh('modprobe -r kmem && modprobe kmem && echo loaded')).toBe('loaded');
    expect(await sh('ps -o stat,pid | grep -c "^Z"')).toBe('0');
  });
});

test('two builds at once make one image, and the next one takes it from the cache', async () => {
  const kernel = await resolveKernel('stock');
  const [one, other] = await Promise.all([buildImage(kernel), buildImage(kernel)]);
  expect(one).toEqual(other);
  const start = performance.now();
  expect(await buildImage(kernel)).toEqual(one);
  expect(performance.now() - start).toBeLessThan(2000);
});

test('the image belongs to root, has no keys, and its folders have the permissions that the SSH server wants', async () => {
  const kernel = await resolveKernel('stock');
  const { initramfs } = await buildImage(kernel);
  expect((await stat(initramfs)).size).toBeLessThan(40e6);
  expect(existsSync(join(dirname(initramfs), 'tree'))).toBe(false);
  const listing = execFileSync('cpio', ['-tv', '--quiet', '--numeric-uid-gid', '-F', initramfs], {
    encoding: 'utf8',
  }).split('\n');
  expect(listing.filter((line) => line !== '' && !/^\S+ +\d+ 0 +0 /.test(line))).toEqual([]);
  expect(listing.find((line) => line.endsWith(' root'))).toMatch(/^drwx------/);
  expect(listing.find((line) => line.endsWith(' root/.ssh'))).toMatch(/^drwx------/);
  expect(listing.filter((line) => /host_key|authorized_keys|resolv\.conf/.test(line))).toEqual([]);
});
