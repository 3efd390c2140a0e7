import { z } from 'zod';
import {
  amount,
  count,
  deviceName,
  driverName,
  duration,
  guestPath,
  moduleName,
  oneOrMore,
  pattern,
  reference,
  size,
  text,
  thing,
} from './scalars.js';

/** What `expect` can say about the state of the guest. */

export const hotplugPolicy = z.enum(['offline', 'online', 'online_kernel', 'online_movable']);
export const partitionMode = z.enum(['ram', 'pmem', 'dc']);
export const bus = z.union([z.enum(['cxl', 'dax', 'nd', 'pci', 'memory', 'platform']), reference]);

const blockState = z.union([z.enum(['offline', 'online', 'going-offline']), reference]);
const blockZone = z.union([z.enum(['DMA', 'DMA32', 'Normal', 'Movable', 'Device', 'none']), reference]);

const exists = z.boolean().optional().meta({ description: 'false: it must not be there' });
const driver = z
  .union([driverName, z.null()])
  .optional()
  .meta({ description: 'the driver it is bound to; null: none' });

const clauses = {
  region: z
    .strictObject({
      name: thing.meta({ description: 'a captured region, or region0' }),
      exists,
      mode: z.union([partitionMode, reference]).optional(),
      size: size.optional(),
      interleave_ways: count.optional(),
      interleave_granularity: count.optional(),
      committed: z.boolean().optional(),
      driver,
      targets: z.array(text).optional().meta({ description: 'topology device ids in interleave order' }),
      uuid: text.optional(),
    })
    .meta({ description: 'a CXL region' }),
  decoder: z
    .strictObject({
      name: thing.optional().meta({ description: 'decoder0.0' }),
      'endpoint-of': text.optional().meta({ description: 'topology device id: its endpoint decoders' }),
      region: thing.optional().meta({ description: 'those that take part in the region' }),
      exists,
      mode: text.optional(),
      dpa_size: size.optional(),
      size: size.optional(),
      interleave_ways: count.optional(),
      interleave_granularity: count.optional(),
      count: count.optional().meta({ description: 'how many decoders the other keys select' }),
    })
    .meta({ description: 'root, switch and endpoint decoders' }),
  memdev: z
    .strictObject({
      device: text.meta({ description: 'topology device id' }),
      exists,
      driver,
      ram_size: size.optional(),
      pmem_size: size.optional(),
      dc_size: size.optional().meta({ description: 'dynamic capacity that it can have' }),
      numa_node: z.number().int().optional(),
    })
    .meta({ description: 'the memdev of a topology device, found by its serial number' }),
  dax: z
    .strictObject({
      name: thing.optional().meta({ description: 'dax0.0' }),
      of: thing.optional().meta({ description: 'the region whose dax devices are meant' }),
      exists,
      count: count.optional(),
      driver,
      size: size.optional(),
      align: size.optional(),
      target_node: count.optional(),
      state: z
        .union([text, z.null()])
        .optional()
        .meta({ description: 'daxX.Y/state; null: the attribute is absent' }),
      hotplug: z.union([text, z.null()]).optional().meta({ description: 'null: the attribute is absent' }),
      opens: z.boolean().optional().meta({ description: '/dev/daxX.Y can be opened: a driver serves it' }),
    })
    .meta({ description: 'dax devices' }),
  extents: z
    .strictObject({
      of: thing.optional().meta({ description: 'the region whose extents are meant' }),
      device: text.optional().meta({ description: 'topology device id: extents of the regions on it' }),
      offset: size.optional().meta({ description: 'the extent at this place, from the start of the region' }),
      count: count.optional(),
      length: size.optional().meta({ description: 'every selected extent is as long' }),
      bytes: size.optional().meta({ description: 'their length together' }),
      tag: z.union([text, z.null()]).optional().meta({ description: 'null: none' }),
      dax: z
        .union([thing, z.null()])
        .optional()
        .meta({ description: 'the dax device that every selected extent belongs to; null: none' }),
    })
    .meta({ description: 'extents of dynamic capacity that the host has accepted' }),
  memory: z
    .strictObject({
      of: thing.optional().meta({ description: 'the blocks within the region' }),
      node: count.optional().meta({ description: 'the blocks of the NUMA node' }),
      block: count.optional().meta({ description: 'memory<block>' }),
      count: count.optional().meta({ description: 'how many blocks are selected' }),
      state: blockState.optional().meta({ description: 'every selected block is in this state' }),
      zone: oneOrMore(blockZone)
        .optional()
        .meta({ description: 'every selected block is in one of these zones' }),
      online: count.optional().meta({ description: 'how many of the selected blocks are online' }),
      bytes: size.optional().meta({ description: 'their size together' }),
    })
    .meta({ description: 'memory blocks: those of a region, of a node, one, or all' }),
  node: z
    .strictObject({
      id: count,
      online: z.boolean().optional(),
      memory: z.boolean().optional().meta({ description: 'it has memory' }),
      bytes: size.optional(),
      cpus: z.boolean().optional().meta({ description: 'it has CPUs' }),
    })
    .meta({ description: 'a NUMA node' }),
  iomem: z
    .strictObject({
      path: z
        .array(text)
        .min(1)
        .meta({ description: 'names from the outermost resource inwards; * for any one' }),
      exists,
      bytes: size.optional(),
      count: count.optional(),
    })
    .meta({ description: '/proc/iomem' }),
  driver: z
    .strictObject({ bus, device: deviceName, driver: z.union([driverName, z.null()]) })
    .meta({ description: 'which driver a device of a bus is bound to; null: none' }),
  namespace: z
    .strictObject({
      of: thing.optional().meta({ description: 'the CXL region that backs it' }),
      name: thing.optional(),
      count: count.optional(),
      mode: text.optional(),
      size: size.optional(),
      uuid: text.optional(),
    })
    .meta({ description: 'namespaces of persistent memory' }),
  module: z
    .strictObject({ name: moduleName, loaded: z.boolean() })
    .meta({ description: 'whether a module is loaded' }),
  file: z
    .strictObject({
      path: guestPath,
      exists,
      equals: text.optional().meta({ description: 'its content, trimmed, is exactly this' }),
      matches: pattern.optional().meta({ description: 'regular expression on its content' }),
    })
    .meta({ description: 'any file, any attribute' }),
  trace: z
    .strictObject({
      event: text,
      count: amount.optional().meta({ description: 'so many of them, 0: none; at least one when absent' }),
      fields: z
        .record(z.string(), text)
        .optional()
        .meta({ description: 'only those with these values; numbers are compared as numbers' }),
    })
    .meta({ description: 'trace events since the case began' }),
  log: z
    .strictObject({
      matches: pattern
        .optional()
        .meta({ description: 'regular expression on kernel log lines since the case began' }),
      count: amount.optional().meta({ description: 'so many lines match; at least one when absent' }),
      absent: pattern.optional().meta({ description: 'regular expression that no such line matches' }),
    })
    .meta({ description: 'the kernel log' }),
} as const;

const sameAs = z.union([text, z.strictObject({ snapshot: text, ignoring: z.array(text).optional() })]).meta({
  description: 'the state equals the snapshot of that name; `boot` is the one before the first step',
});

/**
 * Each clause selects things by `name`, or by what they belong to with `of: <region>`; every other key must hold.
 * A clause may be a list of such clauses.
 */
export const stateClauses = {
  region: oneOrMore(clauses.region),
  decoder: oneOrMore(clauses.decoder),
  memdev: oneOrMore(clauses.memdev),
  dax: oneOrMore(clauses.dax),
  extents: oneOrMore(clauses.extents),
  memory: oneOrMore(clauses.memory),
  node: oneOrMore(clauses.node),
  iomem: oneOrMore(clauses.iomem),
  driver: oneOrMore(clauses.driver),
  namespace: oneOrMore(clauses.namespace),
  module: oneOrMore(clauses.module),
  file: oneOrMore(clauses.file),
  trace: oneOrMore(clauses.trace),
  log: oneOrMore(clauses.log),
  'same-as': sameAs,
} as const;

/** The keys by which a clause selects what it speaks about; the others are what it expects. */
export const clauseSelectors: Readonly<Record<keyof typeof clauses, readonly string[]>> = {
  region: ['name'],
  decoder: ['name', 'endpoint-of', 'region'],
  memdev: ['device'],
  dax: ['name', 'of'],
  extents: ['of', 'device', 'offset'],
  memory: ['of', 'node', 'block'],
  node: ['id'],
  iomem: ['path'],
  driver: ['bus', 'device'],
  namespace: ['of', 'name'],
  module: ['name'],
  file: ['path'],
  trace: [],
  log: [],
};

export const stateExpectation = z.strictObject(
  Object.fromEntries(Object.entries(stateClauses).map(([key, schema]) => [key, schema.optional()])) as {
    [K in keyof typeof stateClauses]: z.ZodOptional<(typeof stateClauses)[K]>;
  },
);

export const expectBody = stateExpectation.extend({
  within: duration.optional().meta({ description: 'becomes true within this time; 10s when absent' }),
  'stays-for': duration.optional().meta({ description: 'and stays true for this time' }),
});
