import { z } from 'zod';
import { unknownDevice } from '../case-knowledge.js';
import { injectionFaults } from '../qmp-commands.js';
import { size, text } from '../scalars.js';
import { defineStep } from './definition.js';

export const inject = defineStep({
  schema: z
    .strictObject({
      device: text.meta({ description: 'topology device id' }),
      type: z.enum([
        'poison',
        'clear-poison',
        'general-media',
        'dram',
        'memory-module',
        'correctable',
        'uncorrectable',
      ]),
      start: size.optional(),
      length: size.optional(),
      log: z.enum(['informational', 'warning', 'failure', 'fatal']).optional(),
      with: z
        .record(z.string(), z.unknown())
        .optional()
        .meta({ description: 'further QMP arguments, given as they are' }),
    })
    .meta({
      description: 'injects poison, an event record or an error into a device',
      examples: [{ device: 'mem0', type: 'poison', start: 0, length: 64 }],
    }),
  honours: [],
  title: ({ device, type }) => `inject ${type} into ${device}`,
  faults: (body, known) => [
    ...unknownDevice(body.device, ['device'], known, 'of QEMU'),
    ...injectionFaults(body.type, body),
  ],
});
