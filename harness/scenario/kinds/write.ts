import { z } from 'zod';
import { guestPath, text } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';

export const write = defineStep({
  schema: z.strictObject({ path: guestPath, value: text }).meta({
    description: 'writes an attribute: one write() of the value and a newline',
    examples: [{ path: '/sys/devices/system/memory/auto_online_blocks', value: 'online_movable' }],
  }),
  honours: OF_LINES,
  title: ({ path, value }) => `write ${value === '' ? 'nothing' : value} to ${path}`,
});
