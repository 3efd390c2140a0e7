import { z } from 'zod';
import { guestPath } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';

export const copyOut = defineStep({
  schema: z
    .strictObject({
      path: guestPath.meta({ description: 'a file of the guest, of 64 MiB at most' }),
    })
    .meta({
      description: "copies a file of the guest into the folder `files` of the case's artifacts",
      examples: [{ path: '/tmp/trace.dat' }],
    }),
  honours: OF_LINES,
  title: ({ path }) => `keep ${path}`,
});
