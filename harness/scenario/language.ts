import { z } from 'zod';
import { parseSize } from '../base/size.js';

/**
 * The scenario language, version 1: what a YAML scenario may say. The JSON Schema, the TypeScript types and the
 * validation all come from these definitions.
 *
 * Values may hold `${name}`: variables and matrix values are put in before validation, captures (made by steps: a
 * region, a dax device) while the case runs.
 */

/** `${capture}`: anything may be a capture; it is checked when its value is known. */
const reference = z.string().regex(/\$\{[^}]+\}/, 'a ${reference}');

const size = z
  .union([z.number().int().nonnegative(), z.string()])
  .refine((value) => typeof value === 'number' || value.includes('${') || parseSize(value) !== undefined, {
    message: 'not a size: write it as 512M, 4G, 0x20000000 or a number of bytes',
  })
  .meta({ description: 'A size: 512M, 4G, 0x20000000 or a number of bytes' });

const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m)$/, 'not a duration: write it as 500ms, 5s or 2m')
  .meta({ description: 'A duration: 500ms, 5s, 2m' });

const errno = z
  .union([z.string().regex(/^E[A-Z0-9]+$/, 'not an errno name such as EBUSY'), reference])
  .meta({ description: 'An errno by name: EBUSY, EINVAL, ENXIO, EOPNOTSUPP...' });

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const count = z.union([z.number().int().nonnegative(), reference]);
const oneOrMore = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema).min(1)]);

export const hotplugPolicy = z.enum(['offline', 'online', 'online_kernel', 'online_movable']);
export const partitionMode = z.enum(['ram', 'pmem']);
const blockState = z.union([z.enum(['offline', 'online', 'going-offline']), reference]);
const blockZone = z.union([z.enum(['DMA', 'DMA32', 'Normal', 'Movable', 'Device', 'none']), reference]);
const bus = z.union([z.enum(['cxl', 'dax', 'nd', 'pci', 'memory', 'platform']), reference]);

// ---------------------------------------------------------------- expectations

/** Each clause names things by `name`, or by what they belong to with `of: <region>`; every other key must hold. */
export const stateClauses = {
  region: oneOrMore(
    z.strictObject({
      name: text,
      exists: z.boolean().optional(),
      mode: z.union([partitionMode, reference]).optional(),
      size: size.optional(),
      interleave_ways: count.optional(),
      interleave_granularity: count.optional(),
      committed: z.boolean().optional(),
      driver: z.union([text, z.null()]).optional(),
      targets: z.array(text).optional().meta({ description: 'topology device ids in interleave order' }),
      uuid: text.optional(),
    }),
  ),
  decoder: oneOrMore(
    z.strictObject({
      name: text.optional(),
      'endpoint-of': text.optional().meta({ description: 'topology device id: its decoders of the region' }),
      region: text.optional(),
      exists: z.boolean().optional(),
      mode: text.optional(),
      dpa_size: size.optional(),
      size: size.optional(),
      interleave_ways: count.optional(),
      interleave_granularity: count.optional(),
      count: count.optional().meta({ description: 'how many decoders the other keys select' }),
    }),
  ),
  memdev: oneOrMore(
    z.strictObject({
      device: text.meta({ description: 'topology device id' }),
      exists: z.boolean().optional(),
      driver: z.union([text, z.null()]).optional(),
      ram_size: size.optional(),
      pmem_size: size.optional(),
      numa_node: z.number().int().optional(),
    }),
  ),
  dax: oneOrMore(
    z.strictObject({
      name: text.optional(),
      of: text.optional().meta({ description: 'the region whose dax devices are meant' }),
      exists: z.boolean().optional(),
      count: count.optional(),
      driver: z.union([text, z.null()]).optional(),
      size: size.optional(),
      align: size.optional(),
      target_node: count.optional(),
      state: z
        .union([text, z.null()])
        .optional()
        .meta({ description: 'daxX.Y/state; null: the attribute is absent' }),
      hotplug: z.union([text, z.null()]).optional(),
      'dev-node': z.boolean().optional().meta({ description: '/dev/daxX.Y exists' }),
    }),
  ),
  memory: oneOrMore(
    z.strictObject({
      of: text.optional().meta({ description: 'blocks within the region' }),
      node: count.optional(),
      block: count.optional(),
      count: count.optional(),
      state: blockState.optional().meta({ description: 'every selected block is in this state' }),
      zone: oneOrMore(blockZone)
        .optional()
        .meta({ description: 'every selected block is in one of these zones' }),
      online: count.optional().meta({ description: 'how many of the selected blocks are online' }),
      bytes: size.optional(),
    }),
  ),
  node: oneOrMore(
    z.strictObject({
      id: count,
      online: z.boolean().optional(),
      memory: z.boolean().optional(),
      bytes: size.optional(),
      cpus: z.boolean().optional(),
    }),
  ),
  iomem: oneOrMore(
    z.strictObject({
      path: z
        .array(text)
        .min(1)
        .meta({ description: 'names from the outermost resource inwards; * for any one' }),
      exists: z.boolean().optional(),
      bytes: size.optional(),
      count: count.optional(),
    }),
  ),
  driver: oneOrMore(z.strictObject({ bus, device: text, driver: z.union([text, z.null()]) })),
  namespace: oneOrMore(
    z.strictObject({
      of: text.optional().meta({ description: 'the CXL region that backs it' }),
      name: text.optional(),
      count: count.optional(),
      mode: text.optional(),
      size: size.optional(),
      uuid: text.optional(),
    }),
  ),
  module: oneOrMore(z.strictObject({ name: text, loaded: z.boolean() })),
  file: oneOrMore(
    z.strictObject({
      path: text,
      exists: z.boolean().optional(),
      equals: text.optional(),
      matches: text.optional(),
    }),
  ),
  trace: oneOrMore(
    z.strictObject({
      event: text,
      count: count.optional().meta({ description: 'at least so many; 1 when absent' }),
      fields: z.record(z.string(), text).optional(),
    }),
  ),
  log: oneOrMore(
    z.strictObject({
      matches: text
        .optional()
        .meta({ description: 'regular expression on kernel log lines since the case began' }),
      absent: text.optional(),
    }),
  ),
  'same-as': z.union([text, z.strictObject({ snapshot: text, ignoring: z.array(text).optional() })]).meta({
    description: 'the state equals the snapshot of that name; `boot` is the one before the first step',
  }),
} as const;

export const stateExpectation = z.strictObject(
  Object.fromEntries(Object.entries(stateClauses).map(([key, schema]) => [key, schema.optional()])) as {
    [K in keyof typeof stateClauses]: z.ZodOptional<(typeof stateClauses)[K]>;
  },
);

const expectBody = stateExpectation.extend({
  within: duration.optional().meta({ description: 'becomes true within this time; 10s when absent' }),
  'stays-for': duration.optional().meta({ description: 'and stays true for this time' }),
});

// ---------------------------------------------------------------- steps

const hotDevice = z.strictObject({
  id: z.string(),
  port: z.string(),
  volatile: size.optional(),
  persistent: size.optional(),
  labels: size.optional(),
  serial: z.number().int().positive().optional(),
});

const toolCall = z.strictObject({
  args: z.union([z.string(), z.array(text)]),
  as: z.string().optional().meta({ description: "captures the tool's standard output (trimmed)" }),
  json: z.unknown().optional().meta({ description: 'the JSON printed contains this' }),
  exit: z
    .number()
    .int()
    .optional()
    .meta({ description: 'expected exit status; 0 when absent; -1: any but 0' }),
  stderr: text.optional().meta({ description: 'regular expression on standard error' }),
});

const cxlEvent = z.strictObject({
  device: text,
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
});

/** One entry a step kind that holds no further steps. */
const simpleStepKinds = {
  'create-region': z.strictObject({
    as: z.string().optional().meta({ description: 'captures the region name' }),
    mode: z.union([partitionMode, reference]).default('ram'),
    window: text.optional().meta({ description: 'topology window id; the first when absent' }),
    targets: z.array(text).min(1).meta({ description: 'topology device ids in interleave order' }),
    size: size.optional().meta({ description: 'of the whole region; what the devices have when absent' }),
    granularity: count.optional(),
    ways: count.optional(),
    uuid: text.optional(),
    commit: z.boolean().default(true),
    bind: text.optional().meta({ description: 'driver on the cxl bus to bind the committed region to' }),
    stop: z
      .enum(['create', 'uuid', 'interleave', 'dpa', 'size', 'targets'])
      .optional()
      .meta({ description: 'stop after this stage, to do the rest by hand' }),
  }),
  'destroy-region': z.strictObject({ region: text }),
  bind: z.strictObject({ bus, driver: text, device: text }),
  unbind: z.strictObject({ bus, driver: text, device: text }),
  'new-id': z.strictObject({ bus, driver: text, device: text }),
  'remove-id': z.strictObject({ bus, driver: text, device: text }),
  write: z.strictObject({ path: text, value: text }),
  read: z.strictObject({
    path: text,
    as: z.string().optional(),
    equals: text.optional(),
    matches: text.optional(),
  }),
  'memory-block': z.strictObject({
    of: text.optional(),
    block: count.optional(),
    index: count.optional().meta({ description: 'the nth block of the region, from 0; all when absent' }),
    state: z.union([hotplugPolicy, reference]),
  }),
  module: z.union([
    z.strictObject({ load: text, params: z.array(text).optional() }),
    z.strictObject({ unload: text }),
    z.strictObject({ deny: text }),
    z.strictObject({ allow: text }),
  ]),
  cxl: toolCall,
  daxctl: toolCall,
  ndctl: toolCall,
  exec: z.strictObject({
    sh: z.string(),
    stdin: z.string().optional(),
    exit: z.number().int().optional(),
    stdout: text.optional().meta({ description: 'regular expression on standard output' }),
    equals: text.optional().meta({ description: 'standard output, trimmed, is exactly this' }),
    as: z.string().optional(),
  }),
  qmp: z.strictObject({
    execute: z.string(),
    arguments: z.record(z.string(), z.unknown()).optional(),
    returns: z.unknown().optional(),
  }),
  'hot-add': hotDevice,
  'hot-remove': z.strictObject({ device: text, via: z.enum(['qmp', 'slot']).default('slot') }),
  inject: cxlEvent,
  capture: z
    .strictObject({
      as: z.string(),
      'dax-of': text.optional(),
      'region-of': text.optional().meta({ description: 'the region that a topology device is part of' }),
      'memdev-of': text.optional(),
      'endpoint-decoder-of': text
        .optional()
        .meta({ description: "a topology device's first endpoint decoder with no DPA" }),
      'node-of': text.optional(),
      'namespace-of': text.optional(),
      'block-of': text.optional(),
      index: z.number().int().nonnegative().optional(),
      within: duration.optional(),
    })
    .meta({ description: 'gives a name to something the kernel made' }),
  snapshot: z.strictObject({ as: z.string() }),
  expect: expectBody,
  reboot: z.strictObject({}),
} as const;

type SimpleStepKind = keyof typeof simpleStepKinds;

export interface StepCommon {
  name?: string | undefined;
  fails?: string | string[] | null | undefined;
  timeout?: string | undefined;
  when?: Record<string, unknown> | undefined;
  'allow-splats'?: string[] | undefined;
}

type StepBodies = { [K in SimpleStepKind]: z.output<(typeof simpleStepKinds)[K]> } & {
  parallel: StepDocument[][];
  repeat: { times: number | string; as?: string | undefined; steps: StepDocument[] };
};

export type StepKind = keyof StepBodies;
export type StepBody<K extends StepKind> = StepBodies[K];
export type StepDocument = StepCommon & { [K in StepKind]?: StepBodies[K] | undefined };

/** One entry a step kind: the key that names the step in YAML, and what it takes. */
export const stepKinds: { readonly [K in StepKind]: z.ZodType<StepBodies[K]> } = {
  ...simpleStepKinds,
  parallel: z.lazy(() => z.array(z.array(step).min(1)).min(2)),
  repeat: z.lazy(() =>
    z.strictObject({
      times: z.union([z.number().int().positive(), reference]),
      as: z.string().optional(),
      steps: z.array(step).min(1),
    }),
  ),
};

const stepCommon = {
  name: z.string().optional(),
  fails: z
    .union([errno, z.array(errno).min(1), z.null()])
    .optional()
    .meta({ description: 'the step must fail with this errno (or one of these)' }),
  timeout: duration.optional(),
  when: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: 'only in cases whose matrix value is this, or is in this list' }),
  'allow-splats': z
    .array(z.string())
    .optional()
    .meta({ description: 'regular expressions on splat titles that are no failure in this step' }),
} as const;

const stepShape = z.strictObject({
  ...stepCommon,
  ...(Object.fromEntries(
    Object.entries(stepKinds).map(([kind, schema]) => [kind, schema.optional()]),
  ) as unknown as {
    [K in StepKind]: z.ZodOptional<(typeof stepKinds)[K]>;
  }),
});

/** A step: exactly one of the step kinds, with the common keys beside it. */
export const step: z.ZodType<StepDocument> = stepShape.superRefine((value, context) => {
  const kinds = Object.keys(value).filter((key) => key in stepKinds);
  if (kinds.length !== 1) {
    context.addIssue({
      code: 'custom',
      message:
        kinds.length === 0
          ? `a step needs one of: ${Object.keys(stepKinds).join(', ')}`
          : `a step does one thing, this one has ${kinds.join(' and ')}: make them separate steps`,
    });
  }
});

export type StateExpectation = z.output<typeof stateExpectation>;

// ---------------------------------------------------------------- the document

const requirement = z.strictObject({
  kernel: z.string().optional().meta({ description: 'version range of the kernel release: ">=7.3", "<7.0"' }),
  qemu: z.string().optional(),
  driver: z.strictObject({ bus, name: text }).optional(),
  module: z.string().optional(),
  attribute: z.string().optional().meta({ description: 'a path (glob) that exists in the booted guest' }),
  config: z.string().optional().meta({ description: "a line of the kernel's .config: CONFIG_CXL_REGION=y" }),
  reason: z.string().optional().meta({ description: 'printed when the requirement is not met' }),
});

const knownBug = z.strictObject({
  kernel: z.string().optional().meta({ description: 'version range in which it fails' }),
  profile: z.string().optional(),
  when: z.record(z.string(), z.unknown()).optional(),
  because: z.string().meta({ description: 'the commit that fixes it, or the report' }),
});

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const scenarioDocument = z.strictObject({
  cxlrig: z.literal(1).meta({ description: 'version of the scenario language' }),
  name: z.string().min(1),
  description: z.string().min(1).meta({ description: 'why it must be so' }),
  reference: z.union([z.string(), z.array(z.string())]).optional(),
  topology: z.string().meta({ description: 'name of a topology, or path of one relative to this file' }),
  boot: z
    .enum(['any', 'cold'])
    .default('any')
    .meta({ description: 'cold: a guest of its own, booted for this case' }),
  kernel: z.strictObject({ cmdline: z.array(z.string()).optional() }).optional(),
  requires: z.array(requirement).optional(),
  'known-bugs': z.array(knownBug).optional(),
  vars: z.record(z.string(), scalar).optional(),
  matrix: z.record(z.string(), z.array(scalar).min(1)).optional(),
  cases: z
    .array(z.record(z.string(), z.union([scalar, z.array(scalar)])))
    .min(1)
    .optional()
    .meta({ description: 'rows of a table: one case each, combined with the matrix' }),
  'allow-splats': z.array(z.string()).optional(),
  timeout: duration.optional().meta({ description: 'of one case; 120s when absent' }),
  steps: z.array(step).min(1),
  cleanup: z.array(step).optional().meta({ description: 'runs whatever happened, before the trace check' }),
  'leaves-no-trace': z
    .boolean()
    .default(true)
    .meta({ description: 'after the cleanup the state equals the one before the first step' }),
});

export type ScenarioDocument = z.output<typeof scenarioDocument>;
export type Requirement = z.output<typeof requirement>;
export type KnownBug = z.output<typeof knownBug>;
