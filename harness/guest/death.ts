import { emulatorLimits, limitsOf, type EmulatorLimit } from '../topology/index.js';
import type { GuestDeath } from './guest.js';
import type { QmpEvent } from './transport/qmp.js';

/** Learns from all sides whether the guest is dead, and of what: the first cause that is declared counts. */
export interface DeathWatch {
  /** never rejects */
  readonly death: Promise<GuestDeath>;
  declare(cause: CauseOfDeath): void;
  /** what happens from now on was asked for */
  expectEnd(): void;
}

export type CauseOfDeath = Pick<GuestDeath, 'kind' | 'message'>;

/** @param consoleTail the last lines of the console as they are when it is called */
export function watchForDeath(consoleTail: () => readonly string[]): DeathWatch {
  let declare: DeathWatch['declare'] = () => undefined;
  const death = new Promise<GuestDeath>((resolve) => {
    declare = (cause) => resolve({ ...cause, console: consoleTail() });
  });
  let isExpected = false;
  return {
    death,
    declare: (cause) => {
      if (!isExpected) declare(cause);
    },
    expectEnd: () => void (isExpected = true),
  };
}

/** The line with which the kernel says that it panics, without its time stamp. */
export function panicLine(console: string): string | undefined {
  return /Kernel panic - not syncing.*/.exec(console)?.[0].trimEnd();
}

/**
 * What an event of QEMU says about the guest's death; undefined: it lives. A guest may only reset when it was asked to
 * reboot (`-no-reboot` turns any other reset into a shutdown), so RESET is no death.
 * @param panic the console's panic line: without the pvpanic driver a panic is seen by QEMU as a plain reset
 */
export function deathByEvent({ event, data }: QmpEvent, panic: string | undefined): CauseOfDeath | undefined {
  switch (event) {
    case 'GUEST_PANICKED':
      return { kind: 'panic', message: panic ?? 'the guest panicked' };
    case 'SHUTDOWN':
      if (panic) return { kind: 'panic', message: panic };
      return deathByShutdown(String(data?.['reason']));
    case 'WATCHDOG':
      return {
        kind: 'stopped',
        message: `the watchdog device fired (action: ${String(data?.['action'])})`,
      };
    default:
      return undefined;
  }
}

/**
 * What a stopped machine's status (QMP query-status) says; undefined: it was stopped on purpose and can go on.
 */
export function deathByStatus(status: string, accelerator: string): CauseOfDeath | undefined {
  if (status === 'internal-error') {
    const kvm =
      'KVM cannot run code from CXL memory, which QEMU gives to the guest as I/O memory; try --accel tcg';
    const why = accelerator === 'kvm' ? kvm : 'QEMU cannot go on';
    return { kind: 'stopped', message: `the machine stopped with an internal error: ${why}` };
  }
  if (status === 'io-error') return { kind: 'stopped', message: 'the machine stopped with an I/O error' };
  return undefined;
}

/** What a crash of QEMU itself most likely is: the one that a guest can cause with CXL memory that is online. */
export function knownCrash(how: string, version: string, accelerator: string): string | undefined {
  const limit: EmulatorLimit = emulatorLimits.crossingSave;
  if (how !== 'signal SIGSEGV' || accelerator !== 'tcg' || !limitsOf(version).includes(limit))
    return undefined;
  return (
    `; QEMU ${version} is known to when registers are saved across a page of RAM and one of CXL memory (${limit.source}), which any ` +
    `program's pages may be once CXL memory is online; QEMU ${limit.goneIn} goes on: name one by CXLRIG_QEMU`
  );
}

function deathByShutdown(reason: string): CauseOfDeath {
  switch (reason) {
    case 'guest-shutdown':
      return { kind: 'shutdown', message: 'the guest powered itself off though nobody asked' };
    case 'guest-reset':
      return { kind: 'shutdown', message: 'the guest rebooted though nobody asked' };
    case 'host-signal':
      return { kind: 'qemu', message: 'QEMU was ended by a signal from outside' };
    default:
      return { kind: 'shutdown', message: `the machine was shut down (${reason})` };
  }
}
