import { RigError } from '../../base/errors.js';
import type { StepBody } from '../language.js';
import { Unmet } from './outcome.js';
import type { StepScope } from './scope.js';
import { forgetRecords } from './session.js';

/** Keeps the state, read anew, under a name. */
export async function snapshot({ as }: StepBody<'snapshot'>, scope: StepScope): Promise<void> {
  scope.session.snapshots.set(as, await scope.look());
}

/** A reboot from inside; a guest that does not come back is the kernel's doing. */
export async function reboot(_: StepBody<'reboot'>, scope: StepScope): Promise<void> {
  scope.session.isFresh = false;
  try {
    await scope.session.context.guest.reboot();
  } catch (error) {
    if (!(error instanceof RigError)) throw error;
    throw new Unmet({ message: `the guest did not come back from a reboot: ${error.message}`, path: [] });
  }
  forgetRecords(scope.session);
}
