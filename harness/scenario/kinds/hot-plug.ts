import { z } from 'zod';
import { UsageError } from '../../base/errors.js';
import { parseSize } from '../../base/size.js';
import { planHotDevice } from '../../topology/hot-plug.js';
import { ID } from '../../topology/language.js';
import { unknownDevice, type CaseKnowledge, type Fault } from '../case-knowledge.js';
import { size, text } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';

const deviceId = z.string().regex(ID, 'not a device id: small letters, digits and `-`, a letter first');

const hotAddBody = z
  .strictObject({
    id: deviceId.meta({ description: 'names the new device in the steps after it' }),
    port: z.string().meta({ description: 'topology id of the root port or switch port' }),
    volatile: size.optional(),
    persistent: size.optional(),
    labels: size.optional(),
    serial: z.number().int().positive().optional(),
  })
  .meta({
    description: 'plugs a type-3 device into a port',
    examples: [{ id: 'mem9', port: 'rp1', volatile: '256M' }],
  });

export const hotAdd = defineStep({
  schema: hotAddBody,
  honours: ['timeout'],
  title: ({ id, port }) => `plug ${id} into ${port}`,
  faults: (body, known) => {
    known.hotDevices.add(body.id);
    return faultsOfHotAdd(body, known);
  },
});

export const hotRemove = defineStep({
  schema: z
    .strictObject({
      device: text.meta({ description: 'topology device id, or that of a `hot-add`' }),
      via: z
        .enum(['qmp', 'slot'])
        .default('slot')
        .meta({ description: "slot: the guest turns the slot's power off; qmp: device_del" }),
    })
    .meta({ description: 'unplugs a device', examples: [{ device: 'mem0', via: 'qmp' }] }),
  honours: OF_LINES,
  title: ({ device, via }) => `unplug ${device} by ${via === 'qmp' ? 'QMP' : "the slot's power"}`,
  faults: ({ device }, known) => unknownDevice(device, ['device'], known, 'of QEMU'),
});

function faultsOfHotAdd(body: z.output<typeof hotAddBody>, { plan }: CaseKnowledge): Fault[] {
  if (!plan) return [];
  const sizes = { volatile: body.volatile, persistent: body.persistent, labels: body.labels };
  const bytes = Object.entries(sizes).flatMap(([key, size]) => {
    const value = typeof size === 'string' ? parseSize(size) : size;
    return value === undefined ? [] : [[key, value] as const];
  });
  // a size that is a capture is known only later
  const open = Object.values(sizes).some((size) => typeof size === 'string' && size.includes('${'));
  if (open || body.port.includes('${')) return [];
  try {
    const { id, port, serial } = body;
    planHotDevice({ id, port, serial, ...Object.fromEntries(bytes) }, plan);
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [
      { path: [], message: error.message, ...(error.remedy === undefined ? {} : { hint: error.remedy }) },
    ];
  }
}
