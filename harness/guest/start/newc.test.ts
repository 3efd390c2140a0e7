import { execa } from 'execa';
import { expect, test } from 'vitest';
import { newcArchive } from './newc.js';

const archive = newcArchive([
  { path: 'root', mode: 0o700 },
  { path: 'root/.ssh', mode: 0o700 },
  { path: 'root/.ssh/authorized_keys', mode: 0o600, content: Buffer.from('ssh-ed25519 AAAA\n') },
  { path: 'empty', mode: 0o644, content: Buffer.alloc(0) },
]);

test('cpio lists the files and folders with their modes and owner', async () => {
  const { stdout, stderr } = await execa('cpio', ['-itvn', '--quiet'], {
    input: archive,
    env: { TZ: 'UTC' },
  });
  const listed = stdout.split('\n').map((line) => line.replace(/\s+/g, ' '));
  expect(stderr).toBe('');
  expect(listed).toEqual([
    'drwx------ 2 0 0 0 Jan 1 1970 root',
    'drwx------ 2 0 0 0 Jan 1 1970 root/.ssh',
    '-rw------- 1 0 0 17 Jan 1 1970 root/.ssh/authorized_keys',
    '-rw-r--r-- 1 0 0 0 Jan 1 1970 empty',
  ]);
});

test('cpio reads a file back unchanged', async () => {
  const { stdout } = await execa('cpio', ['-i', '--to-stdout', '--quiet', 'root/.ssh/authorized_keys'], {
    input: archive,
  });
  expect(stdout).toBe('ssh-ed25519 AAAA');
});

test('its length lets the kernel find an archive behind it', () => {
  expect(archive.length % 4).toBe(0);
});
