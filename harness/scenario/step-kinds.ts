import { z } from 'zod';
import { bus, expectBody, hotplugPolicy, partitionMode } from './expectations.js';
import {
  captureName,
  count,
  deviceName,
  driverName,
  duration,
  guestPath,
  moduleName,
  moduleParameter,
  pattern,
  reference,
  size,
  text,
} from './scalars.js';

/** The step kinds that hold no further steps: the key that names the step in YAML, and what it takes. */

const toolCall = z.strictObject({
  args: z
    .union([z.string(), z.array(text)])
    .meta({ description: 'a text is parsed by the guest shell, a list is taken as it is' }),
  as: captureName.optional().meta({ description: "captures the tool's standard output (trimmed)" }),
  json: z.unknown().optional().meta({ description: 'the JSON printed contains this' }),
  exit: z
    .number()
    .int()
    .optional()
    .meta({ description: 'expected exit status; 0 when absent; -1: any but 0' }),
  stderr: pattern.optional().meta({ description: 'regular expression on standard error' }),
});

const onBus = z.strictObject({
  bus,
  driver: driverName,
  device: deviceName.meta({ description: 'what is written: a device name of the bus' }),
});

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

const qdevId = z
  .string()
  .regex(/^[A-Za-z][\w.-]{0,63}$/, 'not a device id: letters, digits, `-`, `_` and `.`, a letter first');

const snapshotName = captureName.refine((name) => name !== 'boot', {
  message: '`boot` is the state before the first step: choose another name',
});

export const simpleStepKinds = {
  'create-region': z
    .strictObject({
      as: captureName.optional().meta({ description: 'captures the region name' }),
      mode: z.union([partitionMode, reference]).default('ram'),
      window: text.optional().meta({ description: 'topology window id; the first when absent' }),
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
  'destroy-region': z.strictObject({ region: text }).meta({
    description: 'unbinds, resets and deletes a region, and frees its DPA',
    examples: [{ region: '${r}' }],
  }),
  bind: onBus.meta({
    description: "writes a device to a driver's bind attribute",
    examples: [{ bus: 'cxl', driver: 'cxl_region', device: '${r}' }],
  }),
  unbind: onBus.meta({
    description: "writes a device to a driver's unbind attribute",
    examples: [{ bus: 'dax', driver: 'kmem', device: '${r.dax}' }],
  }),
  'new-id': onBus.meta({
    description: "writes a device to a driver's new_id attribute",
    examples: [{ bus: 'dax', driver: 'device_dax', device: '${r.dax}' }],
  }),
  'remove-id': onBus.meta({
    description: "writes a device to a driver's remove_id attribute",
    examples: [{ bus: 'dax', driver: 'device_dax', device: '${r.dax}' }],
  }),
  write: z.strictObject({ path: guestPath, value: text }).meta({
    description: 'writes an attribute: one write() of the value and a newline',
    examples: [{ path: '/sys/devices/system/memory/auto_online_blocks', value: 'online_movable' }],
  }),
  read: z
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
  'memory-block': z
    .strictObject({
      of: text.optional().meta({ description: 'the region whose blocks are meant' }),
      block: count.optional().meta({ description: 'memory<block>' }),
      index: count.optional().meta({ description: 'the nth block of the region, from 0; all when absent' }),
      state: z.union([hotplugPolicy, reference]),
    })
    .meta({
      description: "writes memory blocks' state",
      examples: [{ of: '${r}', index: 0, state: 'offline' }],
    }),
  module: z
    .union([
      z.strictObject({ load: moduleName, params: z.array(moduleParameter).optional() }),
      z.strictObject({ unload: moduleName }),
      z.strictObject({ deny: moduleName }),
      z.strictObject({ allow: moduleName }),
    ])
    .meta({
      description: 'loads or unloads a module; `deny` keeps it from being loaded until `allow`',
      examples: [{ deny: 'kmem' }],
    }),
  cxl: toolCall.meta({
    description: 'the cxl command of cxl-cli',
    examples: [{ args: 'list -R', json: [{ region: '${r}', interleave_ways: 2 }] }],
  }),
  daxctl: toolCall.meta({
    description: 'the daxctl command',
    examples: [{ args: ['reconfigure-device', '--mode=devdax', '--force', '${r.dax}'] }],
  }),
  ndctl: toolCall.meta({
    description: 'the ndctl command',
    examples: [{ args: 'create-namespace -m devdax -r region0', as: 'namespace' }],
  }),
  exec: z
    .strictObject({
      sh: z.string().min(1).meta({ description: 'POSIX sh; write `$${` for a `${` of the shell' }),
      stdin: z.string().optional(),
      exit: z
        .number()
        .int()
        .optional()
        .meta({ description: 'expected exit status; 0 when absent; -1: any but 0' }),
      skip: z.number().int().min(1).max(255).optional().meta({
        description:
          'exit status by which it says that it lacks something (77, of kselftests 4): the case is skipped, and the last line that it printed is why',
      }),
      ktap: z.boolean().optional().meta({
        description:
          'standard output is KTAP or TAP: each test in it is told in the reports, and none may be `not ok`',
      }),
      stdout: pattern.optional().meta({ description: 'regular expression on standard output' }),
      equals: text.optional().meta({ description: 'standard output, trimmed, is exactly this' }),
      as: captureName.optional().meta({ description: 'captures standard output (trimmed)' }),
    })
    .meta({
      description: 'runs a shell line in the guest',
      examples: [{ sh: 'numactl --membind=${r.node} true', exit: 0 }],
    }),
  'copy-out': z
    .strictObject({
      path: guestPath.meta({ description: 'a file of the guest, of 64 MiB at most' }),
    })
    .meta({
      description: "copies a file of the guest into the folder `files` of the case's artifacts",
      examples: [{ path: '/tmp/trace.dat' }],
    }),
  qmp: z
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
  'hot-add': z
    .strictObject({
      id: qdevId.meta({ description: 'names the new device in the steps after it' }),
      port: z.string().meta({ description: 'topology id of the root port or switch port' }),
      volatile: size.optional(),
      persistent: size.optional(),
      labels: size.optional(),
      serial: z.number().int().positive().optional(),
    })
    .meta({
      description: 'plugs a type-3 device into a port',
      examples: [{ id: 'mem9', port: 'rp1', volatile: '256M' }],
    }),
  'hot-remove': z
    .strictObject({
      device: text.meta({ description: 'topology device id, or that of a `hot-add`' }),
      via: z
        .enum(['qmp', 'slot'])
        .default('slot')
        .meta({ description: "slot: the guest turns the slot's power off; qmp: device_del" }),
    })
    .meta({ description: 'unplugs a device', examples: [{ device: 'mem0', via: 'qmp' }] }),
  inject: z
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
  'add-capacity': z.strictObject(capacityRequest).meta({
    description: 'has a device offer dynamic capacity: the extents of one step are one allocation',
    examples: [{ device: 'mem0', extents: [{ offset: 0, length: '128M' }] }],
  }),
  'release-capacity': z
    .strictObject({
      ...capacityRequest,
      forced: z.boolean().default(false).meta({ description: 'takes it instead of asking for it' }),
    })
    .meta({
      description: 'has a device ask for dynamic capacity back',
      examples: [{ device: 'mem0', extents: [{ offset: 0, length: '128M' }] }],
    }),
  capture: z
    .strictObject({
      as: captureName,
      'dax-of': text.optional().meta({ description: 'a dax device of the region' }),
      'region-of': text.optional().meta({ description: 'the region that a topology device is part of' }),
      'memdev-of': text.optional().meta({ description: "a topology device's memN" }),
      'endpoint-decoder-of': text
        .optional()
        .meta({ description: "a topology device's first endpoint decoder with no DPA" }),
      'node-of': text.optional().meta({ description: 'the NUMA node of the region' }),
      'namespace-of': text.optional().meta({ description: 'a namespace that the region backs' }),
      'block-of': text.optional().meta({ description: 'the number of a memory block of the region' }),
      index: z.number().int().nonnegative().optional().meta({ description: 'which of several, from 0' }),
      within: duration.optional().meta({ description: 'waits so long for it to appear' }),
    })
    .meta({
      description: 'gives a name to something the kernel made',
      examples: [{ as: 'd', 'dax-of': '${r}' }],
    }),
  snapshot: z
    .strictObject({ as: snapshotName })
    .meta({ description: 'keeps the state under a name, for `same-as`', examples: [{ as: 'by-hand' }] }),
  expect: expectBody.meta({
    description: 'what must become true of the state',
    examples: [
      {
        region: { name: '${r}', committed: true },
        memory: { of: '${r}', count: 4, state: 'online' },
        within: '10s',
      },
    ],
  }),
  reboot: z.strictObject({}).meta({ description: 'a clean reboot of the guest', examples: [{}] }),
} as const;

export type SimpleStepKind = keyof typeof simpleStepKinds;
