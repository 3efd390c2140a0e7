import { z } from 'zod';
import { parseSize } from '../base/size.js';
import { DYNAMIC_REGIONS } from './emulator-limits.js';

/**
 * The topology language, version 1: the machine under test as its parts and what they are plugged into.
 * Every part has an id; scenarios name devices and windows by it, QEMU gets it as it is.
 */

/** Ids become QEMU ids and parts of `-M` options, so nothing in them may look like an option or a path. */
export const ID = /^[a-z][a-z0-9-]{0,30}$/;

const id = z
  .string()
  .regex(ID, 'not an id: lower-case letters, digits and -, a letter first, at most 31')
  .meta({ description: 'an id: lower-case letters, digits and -, a letter first' });

const bytes = z
  .union([z.number(), z.string()])
  .transform((value, context) => {
    const size = parseSize(String(value));
    if (size !== undefined && size > 0) return size;
    context.addIssue({
      code: 'custom',
      message: 'not a size: write it as 512M, 4G, 0x20000000 or a number of bytes above 0',
    });
    return z.NEVER;
  })
  .meta({ description: 'a size: 512M, 4G, 0x20000000 or a number of bytes' });

const nanoseconds = z
  .number()
  .int()
  .min(1)
  .max(65_535)
  .meta({ description: 'access latency in nanoseconds' });
const bytesPerSecond = bytes.meta({ description: 'access bandwidth a second, a multiple of 1M: 5G' });
const access = { latency: nanoseconds, bandwidth: bytesPerSecond };

const bridge = z.strictObject({
  id,
  ports: z.array(id).min(1).max(16).meta({ description: 'ids of its root ports' }),
  'hdm-for-passthrough': z.boolean().default(true).meta({
    description:
      'a bridge with one root port has HDM decoders of its own (4 regions) instead of passing everything through (1 region)',
  }),
});

const cxlSwitch = z.strictObject({
  id,
  port: id.meta({ description: 'the root port it is plugged into' }),
  ports: z.array(id).min(1).max(16).meta({ description: 'ids of its downstream ports' }),
});

const capacity = {
  volatile: bytes.optional().meta({ description: 'volatile capacity, a multiple of 256M' }),
  persistent: bytes.optional().meta({ description: 'persistent capacity, a multiple of 256M; needs labels' }),
  labels: bytes.optional().meta({ description: 'size of the label storage area, 128K or more' }),
};

const device = z.strictObject({
  id,
  port: id.optional().meta({
    description: 'the root port or switch port it is plugged into; the first free one when absent',
  }),
  ...capacity,
  dynamic: z
    .strictObject({
      size: bytes.meta({ description: 'dynamic capacity, a multiple of 256M for each region' }),
      regions: z.number().int().min(1).max(DYNAMIC_REGIONS).default(1),
    })
    .optional()
    .meta({ description: 'dynamic capacity, added and released at run time' }),
  serial: z
    .number()
    .int()
    .positive()
    .optional()
    .meta({ description: 'memN/serial in the guest; numbered from 1 in order of the file when absent' }),
});

/** CXL 3.1 8.2.4.20.7: the interleave ways that decoders can encode. */
export const INTERLEAVE_WAYS: readonly number[] = [1, 2, 3, 4, 6, 8, 12, 16];
/** CXL 3.1 8.2.4.20.7, bytes. */
export const INTERLEAVE_GRANULARITIES = [256, 512, 1024, 2048, 4096, 8192, 16384] as const;

const window = z.strictObject({
  id,
  targets: z.array(id).min(1).meta({ description: 'host bridges in interleave order' }),
  size: bytes.meta({ description: 'a multiple of 256M for each target' }),
  granularity: z
    .literal(INTERLEAVE_GRANULARITIES)
    .default(256)
    .meta({ description: 'bytes before the next target' }),
});

const mock = z.strictObject({
  id,
  device: z
    .string()
    .regex(/^cxl_(mem|rcd)\.\d{1,3}$/, 'not a device of cxl_test: cxl_mem.0')
    .meta({ description: 'its platform device: cxl_mem.2' }),
  serial: z.number().int().positive().meta({ description: 'memN/serial in the guest' }),
  volatile: bytes.optional(),
  persistent: bytes.optional(),
  dynamic: bytes.optional().meta({ description: 'dynamic capacity, all of it one region' }),
});

export const topologySchema = z.strictObject({
  cxlrig: z.literal(1).meta({ description: 'version of the topology language' }),
  description: z.string().min(1).meta({ description: 'what it is for' }),
  memory: bytes.default(2 ** 30).meta({ description: "the machine's own memory; 1G when absent" }),
  cpus: z.number().int().min(1).max(16).default(2),
  nodes: z
    .number()
    .int()
    .min(1)
    .max(4)
    .default(1)
    .meta({ description: 'NUMA nodes over which memory and CPUs are split evenly' }),
  bridges: z.array(bridge).max(8).default([]).meta({ description: 'CXL host bridges' }),
  switches: z.array(cxlSwitch).max(64).default([]),
  devices: z
    .array(device)
    .max(128)
    .default([])
    .meta({ description: 'type-3 devices that are there at boot' }),
  mocks: z.array(mock).max(16).optional().meta({
    description:
      "devices that the kernel's own cxl_test (tools/testing/cxl) makes when a scenario loads it, with what it gives them; QEMU does not know them",
  }),
  windows: z.array(window).max(8).default([]).meta({
    description: 'fixed memory windows: the nth is decoder0.n in the guest',
  }),
  hmat: z
    .strictObject({
      memory: z.strictObject(access).meta({ description: "of the machine's own memory" }),
      bridges: z
        .array(z.strictObject({ bridge: id, ...access }))
        .min(1)
        .meta({ description: 'up to the host bridge: each becomes a generic port' }),
    })
    .optional()
    .meta({ description: 'an ACPI HMAT: without it regions have no access attributes' }),
});

/** The same within a scenario, which says what it is for by itself. */
export const ownTopology = topologySchema
  .omit({ cxlrig: true, description: true })
  .meta({ id: 'topology', description: 'The machine under test, as in TOPOLOGY.md' });

export type OwnTopology = z.output<typeof ownTopology>;
export type TopologyDocument = z.output<typeof topologySchema>;
export type MockDocument = NonNullable<TopologyDocument['mocks']>[number];
export type DeviceDocument = TopologyDocument['devices'][number];
