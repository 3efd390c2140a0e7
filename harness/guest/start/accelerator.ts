import { access, constants } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { RigError } from '../../base/errors.js';
import { within } from '../deadline.js';
import type { Accelerator } from '../guest.js';
import { connectQmp } from '../transport/qmp.js';
import { qemuVersion } from './qemu-version.js';

/** Which accelerator guests get, and why: said to the user and kept in run.json. */
export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  readonly reason: string;
}

/** Whether this host's KVM runs a virtual machine at all, and how that was found. */
export interface KvmFinding {
  readonly usable: boolean;
  readonly reason: string;
}

/** The firmware alone is up and resets in 0.3 s; under a KVM that only emulates it does not get there. */
const PROBE_MS = 10_000;

/**
 * TCG unless KVM is asked for: QEMU gives CXL windows to the guest as I/O memory, from which KVM cannot run code, so
 * that a guest whose CXL memory is online stops with an internal error as soon as a program is placed there
 * (ndctl#249). A KVM that is asked for is tried first.
 * @throws RigError (host) when KVM is asked for and does not work here
 */
export async function chooseAccelerator(requested?: Accelerator): Promise<AcceleratorChoice> {
  if (requested === 'tcg') return { accelerator: 'tcg', reason: 'asked for' };
  if (requested === 'kvm') {
    const { usable, reason } = await probeKvm();
    if (!usable) throw new RigError('host', `KVM was asked for, but ${reason}`, 'run without --accel kvm');
    return { accelerator: 'kvm', reason: 'asked for' };
  }
  const obstacle = await kvmObstacle();
  return {
    accelerator: 'tcg',
    reason: obstacle ?? 'code in onlined CXL memory, which is I/O memory to QEMU, would stop a KVM guest',
  };
}

/** Tries KVM on a machine that has nothing but its firmware, which finds no disk and resets. */
export async function probeKvm(): Promise<KvmFinding> {
  const obstacle = await kvmObstacle();
  if (obstacle) return { usable: false, reason: obstacle };
  const failure = await runFirmware('kvm');
  return failure
    ? { usable: false, reason: failure }
    : { usable: true, reason: 'the firmware runs under KVM' };
}

/** What keeps KVM from being tried at all. */
async function kvmObstacle(): Promise<string | undefined> {
  if (!existsSync('/dev/kvm')) return 'there is no /dev/kvm';
  const isOpen = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isOpen) return '/dev/kvm may not be opened by this user';
  if (existsSync('/sys/module/kvm_pvm')) {
    return "/dev/kvm is kvm_pvm's, which emulates kernels that were not made for it";
  }
  return undefined;
}

/** @returns why the firmware did not come to its end; undefined when it did */
export async function runFirmware(accelerator: Accelerator): Promise<string | undefined> {
  const { binary } = await qemuVersion();
  const args = [
    '-nodefaults',
    '-no-user-config',
    '-M',
    'q35',
    '-accel',
    accelerator,
    '-cpu',
    'max',
    '-m',
    '64M',
  ];
  args.push('-display', 'none', '-no-reboot', '-boot', 'reboot-timeout=0');
  args.push('-chardev', 'stdio,id=qmp,signal=off', '-mon', 'chardev=qmp,mode=control');
  const qemu = execa(binary, args, {
    stdin: 'pipe',
    stdout: 'pipe',
    buffer: { stdout: false },
    reject: false,
  });
  const outcome = new Promise<string | undefined>((resolve) => {
    connectQmp(qemu.stdin, qemu.stdout, ({ event }) => {
      if (event === 'SHUTDOWN') resolve(undefined);
      if (event === 'STOP') resolve('QEMU stopped the machine with an internal error of KVM');
    }).catch(() => undefined); // the connection fails with QEMU's end, which is told here:
    void qemu.then(({ stderr }) => resolve(`QEMU ended: ${stderr}`));
  });
  try {
    return await within(
      outcome,
      PROBE_MS,
      () => new Error(`the firmware did not end within ${PROBE_MS / 1000} s`),
    );
  } catch (error) {
    return (error as Error).message;
  } finally {
    qemu.kill('SIGKILL');
    await qemu;
  }
}
