import { z } from 'zod';
import { qmpFaults } from '../qmp-commands.js';
import { defineStep } from './definition.js';

export const qmp = defineStep({
  schema: z
    .strictObject({
      execute: z.string().min(1),
      arguments: z.record(z.string(), z.unknown()).optional(),
      returns: z.unknown().optional().meta({ description: 'the answer contains this' }),
    })
    .meta({
      description:
        'a QMP command to the emulator; those that reach files or commands of the host are refused',
      examples: [{ execute: 'query-status', returns: { status: 'running' } }],
    }),
  honours: [],
  title: ({ execute }) => `QMP ${execute}`,
  faults: (body) => qmpFaults(body.execute, body.arguments),
});
