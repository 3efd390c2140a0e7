import { orAbort } from '../../base/or-abort.js';
import { bootDeadline, comeUp, type BootPhase } from './come-up.js';
import { fillGuestDir, removeInitrd, removeSecrets, type GuestKeys } from './guest-dir.js';
import type { GuestSpec, RunningGuest } from '../guest.js';
import { startMachine, type Machine } from './machine.js';
import { startedAgain } from './progress.js';
import { knownQemu } from './qemu-version.js';
import { runningGuest } from '../running-guest.js';
import { openSession } from '../transport/session.js';

export interface BootOptions {
  /** ends the boot: QEMU is killed and the promise rejects with the signal's reason */
  readonly signal?: AbortSignal;
  readonly onPhase?: (phase: BootPhase) => void;
  /** the guest stood still before it reached init, and is started again; hears where */
  readonly onStall?: (where: string) => void;
}

/**
 * Boots a guest; resolves when it has answered over SSH. Every stage is seen on its console, none is waited for by time.
 * One that stands still before init is started again: see `unlessStalled`.
 * @throws RigError whose stage says how far it came, with the last lines of the console; `host` for QEMU or the folder
 * @throws GuestDied when the kernel panicked, reset or powered off: that is the kernel's doing
 */
export async function bootGuest(spec: GuestSpec, options: BootOptions = {}): Promise<RunningGuest> {
  const stalls: string[] = [];
  const guest = await startedAgain(
    () => bootOnce(spec, options),
    (where) => {
      stalls.push(where);
      options.onStall?.(where);
    },
  );
  return stalls.length === 0 ? guest : { ...guest, start: { ...guest.start, stalls } };
}

async function bootOnce(spec: GuestSpec, { signal, onPhase }: BootOptions): Promise<RunningGuest> {
  signal?.throwIfAborted();
  const qemu = await knownQemu();
  const keys = await fillGuestDir(spec, qemu.binary);
  let machine: Machine | undefined;
  try {
    const started = performance.now();
    machine = await startMachine(spec, qemu);
    onPhase?.('qemu');
    return await orAbort(bootOn(machine, spec, keys, started, onPhase), signal);
  } catch (error) {
    await machine?.end();
    await removeSecrets(spec.dir);
    throw error;
  }
}

async function bootOn(
  machine: Machine,
  spec: GuestSpec,
  keys: GuestKeys,
  started: number,
  onPhase: BootOptions['onPhase'],
): Promise<RunningGuest> {
  await keys.writeKnownHosts(machine.sshPort);
  const session = openSession({ port: machine.sshPort, ...keys }, machine.watch);
  void machine.ended.then(() => session.disconnect());
  await comeUp(machine, session, {
    since: 0,
    withinMs: bootDeadline(spec),
    slowness: spec.kernel.slowness,
    onPhase,
  });
  await removeInitrd(spec.dir);
  return runningGuest(spec, machine, session, keys, { how: 'cold' }, performance.now() - started);
}
