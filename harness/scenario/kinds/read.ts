import { z } from 'zod';
import { captureName, guestPath, pattern, text } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';

export const read = defineStep({
  schema: z
    .strictObject({
      path: guestPath,
      as: captureName.optional().meta({ description: 'captures the content (trimmed)' }),
      equals: text.optional().meta({ description: 'the content, trimmed, is exactly this' }),
      matches: pattern.optional().meta({ description: 'regular expression on the content' }),
    })
    .meta({
      description: 'reads an attribute',
      examples: [{ path: '/sys/bus/dax/devices/${r.dax}/state', equals: 'unplugged' }],
    }),
  honours: OF_LINES,
  captures: true,
  title: ({ path }) => `read ${path}`,
});
