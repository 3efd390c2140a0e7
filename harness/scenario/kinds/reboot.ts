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
  endsKernel: true,
  title: () => 'reboot',
  run: (_, scope) => startAnew(scope, 'a reboot', () => scope.session.context.guest.reboot()),
});

/** Another kernel takes over; a guest that does not come back is the kernel's doing. */
export async function startAnew(scope: StepScope, how: string, start: () => Promise<void>): Promise<void> {
  scope.session.isFresh = false;
  try {
    await start();
  } catch (error) {
    if (!(error instanceof RigError)) throw error;
    throw new Unmet({ message: `the guest did not come back from ${how}: ${error.message}`, path: [] });
  }
  forgetRecords(scope.session);
}
