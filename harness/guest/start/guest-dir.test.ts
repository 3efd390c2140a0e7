import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadTopology } from '../../topology/index.js';
import { kexecLine } from '../kexec.js';
import { fillGuestDir, removeSecrets } from './guest-dir.js';
import type { GuestSpec } from '../guest.js';

let root: string;
let spec: GuestSpec;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'cxlrig-dir-'));
  writeFileSync(join(root, 'initramfs'), 'the image');
  const kernel = { profile: 'p', id: 'i', release: '7.3', image: '/k', format: 'elf' as const };
  const rest = { modulesDir: '/m', config: '/c', cmdline: [], abi: {}, origin: 'o' };
  const machine = await loadTopology('none');
  const image = { kernel: { ...kernel, ...rest }, initramfs: join(root, 'initramfs'), machine };
  spec = { ...image, cmdline: [], accelerator: 'tcg', dir: mkdtempSync(join(root, 'guest-')) };
});

afterEach(() => rmSync(root, { recursive: true }));

test('the initrd is an archive with the keys, and right behind it the image', async () => {
  await fillGuestDir(spec, 'qemu');
  const initrd = readFileSync(join(spec.dir, 'initrd'));
  const { stdout } = await execa('cpio', ['-it', '--quiet'], { input: initrd });
  expect(stdout.split('\n').slice(0, 6)).toEqual([
    'root',
    'root/.ssh',
    'root/.ssh/authorized_keys',
    'etc',
    'etc/dropbear',
    'etc/dropbear/dropbear_ed25519_host_key',
  ]);
  expect(initrd.subarray(-9).toString()).toBe('the image');
});

test('a guest that will kexec has its kernel in the archive, where kexec is told to look for it', async () => {
  const kernel = { ...spec.kernel, image: join(root, 'vmlinux') };
  writeFileSync(kernel.image, 'the kernel');
  await fillGuestDir({ ...spec, kernel, cmdline: ['retain_initrd'] }, 'qemu');
  const input = readFileSync(join(spec.dir, 'initrd'));
  const { stdout } = await execa('cpio', ['-i', '--to-stdout', '--quiet', 'boot/kernel'], { input });
  expect(stdout).toBe('the kernel');
  expect(kexecLine(kernel, ['a=1', 'b'])).toBe(
    'kexec --kexec-syscall --args-linux --load /boot/kernel --initrd=/sys/firmware/initrd --reuse-cmdline' +
      " --append='maxcpus=1 a=1 b' && kexec --exec",
  );
});

test('ssh-keygen reads the key, and knows the host by its port', async () => {
  const keys = await fillGuestDir(spec, 'qemu');
  await keys.writeKnownHosts(40022);
  const { stdout: openHalf } = await execa('ssh-keygen', ['-y', '-f', keys.keyFile]);
  expect(openHalf).toMatch(/^ssh-ed25519 AAAA/);
  const { stdout } = await execa('ssh-keygen', ['-F', '[127.0.0.1]:40022', '-f', keys.knownHostsFile]);
  expect(stdout).toContain(keys.hostKey.toString('base64'));
});

test('only the owner can read what holds a secret', async () => {
  await fillGuestDir(spec, 'qemu');
  for (const name of ['id_ed25519', 'initrd'])
    expect(statSync(join(spec.dir, name)).mode & 0o777).toBe(0o600);
});

test('after the end there is nothing but what is worth reading', async () => {
  const keys = await fillGuestDir(spec, 'qemu');
  await keys.writeKnownHosts(1);
  await removeSecrets(spec.dir);
  expect(readdirSync(spec.dir).sort()).toEqual(['console.log', 'qemu.sh']);
});

test('a folder that cannot be written is an error of the host that names it', async () => {
  const gone = { ...spec, dir: join(root, 'gone') };
  await expect(fillGuestDir(gone, 'qemu')).rejects.toMatchObject({
    stage: 'host',
    message: expect.stringContaining(gone.dir) as unknown,
  });
});
