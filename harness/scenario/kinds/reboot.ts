import { z } from 'zod';
import { defineStep } from './definition.js';

export const reboot = defineStep({
  schema: z.strictObject({}).meta({ description: 'a clean reboot of the guest', examples: [{}] }),
  honours: [],
  instead: { timeout: 'a reboot has the deadline of a boot' },
  title: () => 'reboot',
});
