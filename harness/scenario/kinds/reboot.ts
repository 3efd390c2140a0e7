import { z } from 'zod';
import { RigError } from '../../base/errors.js';
import { Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { forgetRecords } from '../steps/session.js';
import { defineStep } from './definition.js';

export const reboot = defineStep({
  schema: z.strictObject({}).meta({ description: 'a clean reboot of the guest', examples: [{}] }),
  honours: [],
  instead: { timeout: 'a reboot has the deadline of a boot' },
  title: () => 'reboot',
  run: rebootGuest,
});

/** A reboot from inside; a guest that does not come back is the kernel's doing. */
async function rebootGuest(_: object, scope: StepScope): Promise<void> {
  scope.session.isFresh = false;
  try {
    await scope.session.context.guest.reboot();
  } catch (error) {
    if (!(error instanceof RigError)) throw error;
    throw new Unmet({ message: `the guest did not come back from a reboot: ${error.message}`, path: [] });
  }
  forgetRecords(scope.session);
}
