import { z } from 'zod';
import { formatSize, parseSize } from '../../base/size.js';
import { DYNAMIC_BLOCK, EVENT_RECORDS } from '../../topology/emulator-limits.js';
import { unknownDevice, type CaseKnowledge, type Fault } from '../case-knowledge.js';
import { size, text } from '../scalars.js';
import { defineStep } from './definition.js';
import { sizeOf } from './words.js';

const capacityRequest = {
  device: text.meta({ description: 'topology device id' }),
  region: z
    .number()
    .int()
    .min(0)
    .max(7)
    .default(0)
    .meta({ description: "which of the device's regions of dynamic capacity, from 0" }),
  extents: z
    .array(
      z.strictObject({ offset: size.meta({ description: 'from the start of that region' }), length: size }),
    )
    .min(1)
    .max(64)
    .meta({ description: 'in this order' }),
  tag: text.optional().meta({ description: 'the UUID of the allocation' }),
};

type CapacityRequest = z.output<z.ZodObject<typeof capacityRequest>>;

function extentsOf({ device, extents }: CapacityRequest): string {
  return `${extents.map(({ offset, length }) => `${sizeOf(length)} at ${sizeOf(offset)}`).join(', ')} of ${device}`;
}

export const addCapacity = defineStep({
  schema: z.strictObject(capacityRequest).meta({
    description: 'has a device offer dynamic capacity: the extents of one step are one allocation',
    examples: [{ device: 'mem0', extents: [{ offset: 0, length: '128M' }] }],
  }),
  honours: [],
  title: (body) => `offer ${extentsOf(body)}`,
  faults: faultsOfCapacity,
});

export const releaseCapacity = defineStep({
  schema: z
    .strictObject({
      ...capacityRequest,
      forced: z.boolean().default(false).meta({ description: 'takes it instead of asking for it' }),
    })
    .meta({
      description: 'has a device ask for dynamic capacity back',
      examples: [{ device: 'mem0', extents: [{ offset: 0, length: '128M' }] }],
    }),
  honours: [],
  title: (body) => `${body.forced ? 'take back' : 'ask back'} ${extentsOf(body)}`,
  faults: faultsOfCapacity,
});

/** What is certainly wrong with a step that adds or releases dynamic capacity, and what QEMU can't do. */
function faultsOfCapacity(
  body: CapacityRequest & { readonly forced?: boolean },
  known: CaseKnowledge,
): Fault[] {
  const { device, extents, region, tag, forced } = body;
  const cannot: Fault[] = [
    ...(tag === undefined
      ? []
      : [fault(['tag'], 'QEMU gives every extent the null tag, whatever it is asked for')]),
    ...(forced === true
      ? [fault(['forced'], 'QEMU has no forced release: it asks, and the guest answers')]
      : []),
    ...(extents.length <= EVENT_RECORDS
      ? []
      : [
          fault(
            ['extents', EVENT_RECORDS],
            `the event log of QEMU's device holds ${EVENT_RECORDS} records, an extent each: the rest would be lost`,
            'split it into several steps; to have the log overflow, say it by `qmp`',
          ),
        ]),
  ];
  const unknown = unknownDevice(device, ['device'], known);
  const planned = known.plan?.devices.find(({ id }) => id === device);
  if (unknown.length > 0 || !known.plan || !planned) return [...unknown, ...cannot];
  const { dynamic } = planned;
  if (!dynamic) {
    const others = known.plan.devices.filter((one) => one.dynamic).map(({ id }) => id);
    return [
      ...cannot,
      fault(
        ['device'],
        `${device} of the topology ${known.plan.name} has no dynamic capacity`,
        others.length > 0
          ? `${others.join(', ')} has`
          : 'the topology dynamic-capacity has a device with some',
      ),
    ];
  }
  if (region >= dynamic.regions)
    return [
      ...cannot,
      fault(['region'], `${device} has ${dynamic.regions} regions of dynamic capacity, from 0`),
    ];
  const bytes = dynamic.bytes / dynamic.regions;
  return [...cannot, ...extents.flatMap((extent, index) => faultsOfExtent(extent, index, bytes))];
}

function faultsOfExtent(extent: CapacityRequest['extents'][number], index: number, bytes: number): Fault[] {
  const [offset, length] = [extent.offset, extent.length].map((size) =>
    typeof size === 'string' ? parseSize(size) : size,
  );
  // a size that is a capture is known only later
  if (offset === undefined || length === undefined) return [];
  const uneven = (['offset', 'length'] as const).find(
    (key) => (key === 'offset' ? offset : length) % DYNAMIC_BLOCK !== 0,
  );
  if (uneven !== undefined || length === 0) {
    return [
      fault(
        ['extents', index, uneven ?? 'length'],
        `extents are made of whole blocks of ${formatSize(DYNAMIC_BLOCK)}`,
      ),
    ];
  }
  if (offset + length <= bytes) return [];
  return [fault(['extents', index], `the device's region of dynamic capacity ends at ${formatSize(bytes)}`)];
}

function fault(path: readonly (string | number)[], message: string, hint?: string): Fault {
  return { path, message, ...(hint === undefined ? {} : { hint }) };
}
