import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RigError } from '../../base/errors.js';
import { CONSOLE_LOG, CONSOLE_SOCKET, INITRD, QEMU_SCRIPT, qemuScript } from './command-line.js';
import type { GuestSpec } from '../guest.js';
import { KERNEL_IN_INITRD, RETAIN_INITRD } from '../kexec.js';
import {
  dropbearPrivateKey,
  newKeyPair,
  openSshPrivateKey,
  publicBlob,
  publicLine,
} from '../transport/keys.js';
import { newcArchive, type ArchiveEntry } from './newc.js';

/** The names of what a guest's folder holds only while the guest lives. */
const KEY = 'id_ed25519';
const KNOWN_HOSTS = 'known_hosts';

/** The keys of one guest, made for it alone. */
export interface GuestKeys {
  readonly keyFile: string;
  readonly knownHostsFile: string;
  readonly privateKey: string;
  /** the host's public key as SSH sends it */
  readonly hostKey: Buffer;
  /** what the guest must be given, where it is not given by the initrd */
  readonly forGuest: {
    /** the host's private key as dropbear reads it */
    readonly hostKey: Buffer;
    /** the line of `authorized_keys` */
    readonly clientKey: string;
  };
  /** lets ssh(1) know the guest, once its port is known */
  writeKnownHosts(port: number): Promise<void>;
}

/**
 * Fills the guest's folder with what QEMU needs to start, and with new keys. The initrd is the image with a small
 * archive in front that tells the guest who may come in and what its host key is: so the key is known beforehand and
 * nothing is trusted at first sight. A guest that will kexec gets its kernel there too.
 * @param console what the console's log begins with
 * @throws RigError (host) when the folder can't be written
 */
export async function fillGuestDir(spec: GuestSpec, qemu: string, console = ''): Promise<GuestKeys> {
  const client = newKeyPair();
  const host = newKeyPair();
  const privateKey = openSshPrivateKey(client);
  const keyFile = join(spec.dir, KEY);
  const knownHostsFile = join(spec.dir, KNOWN_HOSTS);
  const ahead = newcArchive([
    { path: 'root', mode: 0o700 },
    { path: 'root/.ssh', mode: 0o700 },
    { path: 'root/.ssh/authorized_keys', mode: 0o600, content: Buffer.from(`${publicLine(client)}\n`) },
    { path: 'etc', mode: 0o755 },
    { path: 'etc/dropbear', mode: 0o755 },
    { path: 'etc/dropbear/dropbear_ed25519_host_key', mode: 0o600, content: dropbearPrivateKey(host) },
    ...(await kernelInInitrd(spec)),
  ]);
  await writing(spec.dir, async () => {
    await writeFile(join(spec.dir, INITRD), Buffer.concat([ahead, await readFile(spec.initramfs)]), {
      mode: 0o600,
    });
    await writeFile(keyFile, privateKey, { mode: 0o600 });
    await writeFile(join(spec.dir, QEMU_SCRIPT), qemuScript(spec, qemu), { mode: 0o755 });
    await writeFile(join(spec.dir, CONSOLE_LOG), console);
  });
  return {
    keyFile,
    knownHostsFile,
    privateKey,
    hostKey: publicBlob(host),
    forGuest: { hostKey: dropbearPrivateKey(host), clientKey: publicLine(client) },
    writeKnownHosts: (port) =>
      writing(spec.dir, () => writeFile(knownHostsFile, `[127.0.0.1]:${port} ${publicLine(host)}\n`)),
  };
}

/** The kernel itself, for a guest that will kexec. */
async function kernelInInitrd({ kernel, cmdline }: GuestSpec): Promise<ArchiveEntry[]> {
  if (!cmdline.includes(RETAIN_INITRD)) return [];
  return [
    { path: dirname(KERNEL_IN_INITRD), mode: 0o755 },
    { path: KERNEL_IN_INITRD, mode: 0o644, content: await readFile(kernel.image) },
  ];
}

/** Fills the folder for a guest that stops, keyless, where a template is saved (images/init, images/resume). */
export async function fillTemplateDir(spec: GuestSpec): Promise<void> {
  const marker = newcArchive([
    { path: 'etc', mode: 0o755 },
    { path: 'etc/cxlrig', mode: 0o755 },
    { path: 'etc/cxlrig/template', mode: 0o644, content: Buffer.from('yes\n') },
  ]);
  await writing(spec.dir, async () => {
    await writeFile(join(spec.dir, INITRD), Buffer.concat([marker, await readFile(spec.initramfs)]));
    await writeFile(join(spec.dir, CONSOLE_LOG), '');
  });
}

/** Removes the initrd once QEMU has read it: QEMU keeps it mapped for a reboot, and it is as big as the image. */
export async function removeInitrd(dir: string): Promise<void> {
  await rm(join(dir, INITRD), { force: true });
}

/** Leaves only what is worth reading after the guest's end. */
export async function removeSecrets(dir: string): Promise<void> {
  await Promise.all(
    [INITRD, KEY, KNOWN_HOSTS, CONSOLE_SOCKET].map((name) => rm(join(dir, name), { force: true })),
  );
}

async function writing(dir: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new RigError(
      'host',
      `the files of the guest could not be written to ${dir}: ${String(error)}`,
      'see that the disk is not full and that the folder may be written',
      [],
      { cause: error },
    );
  }
}
