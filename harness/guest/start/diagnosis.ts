import { RigError } from '../../base/errors.js';
import { lastLines } from '../transport/console.js';
import { GuestDied, GuestTimeout, type GuestDeath } from '../guest.js';

/** What is seen on the console of a guest that boots: the kernel's banner, and what images/init says there. */
export const KERNEL_STARTED = /Linux version |cxlrig-init: start/;
export const INIT_STARTED = /cxlrig-init: start/;
/** a machine that a template is made of waits to be saved (images/resume) */
export const TEMPLATE_READY = /cxlrig-init: template/;
/** the SSH server listens */
export const INIT_READY = /cxlrig-init: ready/;

const NO_KERNEL_REMEDY =
  'see that the kernel is for x86-64 and has CONFIG_PVH and CONFIG_SERIAL_8250_CONSOLE';

/**
 * Why a guest did not come up, told from the error that ended the wait and from how far its console got.
 * @param console text since the machine started
 */
export function diagnoseBoot(error: unknown, console: string, withinMs: number): unknown {
  if (error instanceof GuestDied) return diagnoseDeath(error.death, console);
  if (error instanceof GuestTimeout) return diagnoseSilence(console, withinMs);
  if (error instanceof RigError && error.stage === 'ssh') {
    return new RigError('ssh', error.message, error.remedy, lastLines(console), { cause: error });
  }
  return error;
}

/**
 * A kernel that ran and then panicked, reset or powered off is at fault itself: that is an answer, not a failure of
 * the rig.
 */
function diagnoseDeath(death: GuestDeath, console: string): GuestDied | RigError {
  const kernelRan = KERNEL_STARTED.test(console);
  if (death.kind === 'panic' || (death.kind === 'shutdown' && kernelRan)) return new GuestDied(death);
  if (death.kind === 'shutdown') {
    return new RigError(
      'firmware',
      `the machine ended before the kernel printed anything: ${death.message}`,
      NO_KERNEL_REMEDY,
      death.console,
    );
  }
  return new RigError(
    kernelRan ? 'boot' : 'qemu',
    `the guest ended while it booted: ${death.message}`,
    'qemu.log and console.log in its folder tell more; qemu.sh there starts it by hand',
    death.console,
  );
}

function diagnoseSilence(console: string, withinMs: number): RigError {
  const evidence = lastLines(console);
  const time = `within ${Math.round(withinMs / 1000)} s`;
  if (INIT_READY.test(console)) {
    return new RigError('ssh', `the guest is up but did not answer over SSH ${time}`, undefined, evidence);
  }
  if (INIT_STARTED.test(console)) {
    return new RigError('init', `the guest's init did not come to its end ${time}`, undefined, evidence);
  }
  if (KERNEL_STARTED.test(console)) {
    const remedy = 'when the host is busy, try again with fewer --jobs';
    return new RigError('boot', `the kernel started but reached no init ${time}`, remedy, evidence);
  }
  return new RigError('firmware', `the kernel printed nothing ${time}`, NO_KERNEL_REMEDY, evidence);
}
