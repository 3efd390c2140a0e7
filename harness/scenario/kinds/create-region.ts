import { z } from 'zod';
import { unknownDevice, unknownWindow } from '../case-knowledge.js';
import { partitionMode } from '../clauses/words.js';
import { captureName, count, driverName, reference, size, text } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';
import { sizeOf } from './words.js';

export const createRegion = defineStep({
  schema: z
    .strictObject({
      as: captureName.optional().meta({ description: 'captures the region name' }),
      mode: z.union([partitionMode, reference]).default('ram'),
      window: text.optional().meta({ description: 'topology window id; the first when absent' }),
      decoder: text.optional().meta({
        description: 'instead of a window: a root decoder as the guest names it, of cxl_test for instance',
      }),
      targets: z.array(text).min(1).max(64).meta({ description: 'topology device ids in interleave order' }),
      size: size.optional().meta({ description: 'of the whole region; what the devices have when absent' }),
      granularity: count.optional().meta({ description: "bytes; the window's when absent" }),
      ways: count.optional().meta({ description: 'the number of targets when absent' }),
      uuid: text.optional().meta({ description: 'of a pmem region; one of its own when absent' }),
      commit: z.boolean().default(true),
      bind: driverName
        .optional()
        .meta({ description: 'driver on the cxl bus to bind the committed region to' }),
      stop: z
        .enum(['create', 'uuid', 'interleave', 'dpa', 'size', 'targets'])
        .optional()
        .meta({ description: 'stop after this stage, to do the rest by hand' }),
    })
    .meta({
      description: 'creates, programs and commits a region by raw sysfs writes',
      examples: [{ as: 'r', targets: ['mem0', 'mem1'], granularity: 256, bind: 'cxl_region' }],
    }),
  honours: OF_LINES,
  captures: true,
  title: (body) =>
    [
      `create a ${body.mode} region`,
      body.size === undefined ? '' : `of ${sizeOf(body.size)}`,
      `on ${body.targets.join(', ')}`,
      body.window === undefined ? '' : `in ${body.window}`,
      body.decoder === undefined ? '' : `in ${body.decoder}`,
      body.stop === undefined ? '' : `up to ${body.stop}`,
      body.commit || body.stop !== undefined ? '' : 'without commit',
      body.bind === undefined ? '' : `and bind it to ${body.bind}`,
    ]
      .filter(Boolean)
      .join(' '),
  faults: (body, known) => [
    ...body.targets.flatMap((target, index) => unknownDevice(target, ['targets', index], known)),
    ...unknownWindow(body.window, ['window'], known),
    ...(body.window === undefined || body.decoder === undefined
      ? []
      : [{ path: ['decoder'], message: '`window` says which root decoder already' }]),
  ],
});
