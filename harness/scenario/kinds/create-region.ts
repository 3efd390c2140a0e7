import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  type RegionProgram,
  type RegionStage,
  createRegionLines,
  driverLine,
  nextRegionLine,
} from '../../abi/index.js';
import type { MachinePlan, MemoryDevice } from '../../topology/plan.js';
import { unknownDevice, unknownWindow } from '../load/case-knowledge.js';
import { partitionMode } from '../clauses/words.js';
import { captureName, count, driverName, reference, size, text } from '../language/scalars.js';
import type { Deed } from '../steps/context.js';
import { Refusal, Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { endpointDecodersOf, freeEndpointDecoder } from '../steps/select.js';
import { toBytes, toCount } from '../steps/values.js';
import { OF_LINES, defineStep } from './definition.js';
import { sizeOf } from './words.js';

const schema = z
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
  });

export const createRegion = defineStep({
  schema,
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
  run: programRegion,
});

type Body = z.output<typeof schema>;

/** Programs a region by raw writes: first the name that the kernel offers is read, then all else is one round trip. */
async function programRegion(body: Body, scope: StepScope): Promise<void> {
  const window = rootDecoderOf(body, scope);
  const devices = body.targets.map((id, index) => scope.device(id, ['targets', index]));
  const program = programOf(body, window, devices, scope);
  let name = await offeredName(program, scope);
  for (;;) {
    const decoders = program.targets.map(({ decoder }) => decoder);
    const region = { kind: 'region', name, decoders, isNew: true } as const;
    scope.capture(body.as, region);
    const deed: Deed = { kind: 'region', region, step: scope.step };
    scope.session.done.add(deed);
    try {
      await scope.type(
        ...createRegionLines(name, program, lastStage(body)),
        ...(body.bind === undefined ? [] : [driverLine('cxl', scope.driverName(body.bind), 'bind', name)]),
      );
      return;
    } catch (error) {
      if (!isNameTaken(error, program)) throw error;
      const next = await offeredName(program, scope);
      if (next === name) throw error;
      scope.session.done.delete(deed);
      name = next;
    }
  }
}

async function offeredName({ rootDecoder, mode }: RegionProgram, scope: StepScope): Promise<string> {
  const [offered] = await scope.type(nextRegionLine(rootDecoder, mode));
  return offered?.stdout.trim() ?? '';
}

/**
 * Between the reading and the writing of the name the kernel may offer another: somebody took it, or a region that was
 * deleted earlier gave its own back only now (drivers/cxl/core/region.c:cxl_region_release()).
 */
function isNameTaken(error: unknown, { rootDecoder, mode }: RegionProgram): boolean {
  return (
    error instanceof Refusal &&
    error.line.errno === 'EBUSY' &&
    error.line.subject === nextRegionLine(rootDecoder, mode).subject
  );
}

function lastStage({ stop, commit }: Body): RegionStage {
  return stop ?? (commit ? 'commit' : 'targets');
}

interface RootDecoder {
  readonly name: string;
  readonly granularity: number;
}

function rootDecoderOf({ decoder, window }: Body, scope: StepScope): RootDecoder {
  if (decoder === undefined) return windowOf(window, scope.plan);
  const { decoders } = scope.state();
  const found = decoders[decoder];
  if (found?.kind === 'root') return { name: decoder, granularity: found.interleaveGranularity };
  throw new Unmet({
    message: found ? `${decoder} is a ${found.kind} decoder` : `the guest has no decoder ${decoder}`,
    path: ['decoder'],
    subject: '/sys/bus/cxl/devices/root*/decoder*',
    received: Object.entries(decoders).flatMap(([name, { kind }]) => (kind === 'root' ? [name] : [])),
  });
}

function windowOf(window: string | undefined, plan: MachinePlan): RootDecoder {
  const found = window === undefined ? plan.windows[0] : plan.windows.find(({ id }) => id === window);
  if (found) return { name: `decoder0.${found.index}`, granularity: found.granularity };
  throw new Unmet({
    message: `the topology ${plan.name} has no window ${window ?? 'at all'}`,
    path: window === undefined ? [] : ['window'],
    blame: 'scenario',
  });
}

function programOf(
  body: Body,
  window: RootDecoder,
  devices: readonly MemoryDevice[],
  scope: StepScope,
): RegionProgram {
  const ways = body.ways === undefined ? devices.length : toCount(body.ways, ['ways']);
  const size = body.size === undefined ? capacityOf(devices, body.mode) : toBytes(body.size, ['size']);
  const uuid = body.uuid ?? (body.mode === 'pmem' ? uuidFor(scope) : undefined);
  return {
    // ram, pmem, or what this kernel calls dynamic capacity
    mode: scope.driverName(body.mode),
    rootDecoder: window.name,
    ...(uuid === undefined ? {} : { uuid }),
    granularity:
      body.granularity === undefined ? window.granularity : toCount(body.granularity, ['granularity']),
    ways,
    size,
    targets: devices.map((device, index) => ({
      decoder: decoderOf(device, index, scope),
      dpaSize: Math.floor(size / devices.length),
    })),
  };
}

/** Another one for each step of each case, and the same on each kernel: else two kernels would differ in it. */
function uuidFor({ session, id }: StepScope): string {
  const hash = createHash('sha256')
    .update(`${session.context.seed ?? ''} ${id}`)
    .digest('hex');
  // version 8, which RFC 9562 leaves to its maker
  const parts = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ];
  return parts.join('-');
}

/** All that the devices have of the mode: each gives as much as the smallest has. */
function capacityOf(devices: readonly MemoryDevice[], mode: string): number {
  const of = devices.map(({ persistentBytes, volatileBytes, dynamic }) => {
    if (mode === 'dc') return dynamic ? dynamic.bytes / dynamic.regions : 0;
    return mode === 'pmem' ? persistentBytes : volatileBytes;
  });
  return Math.min(...of) * devices.length;
}

/** A decoder with no DPA; when all are taken the last, so that the kernel says what it thinks of that. */
function decoderOf({ id, serial }: MemoryDevice, index: number, scope: StepScope): string {
  const path = ['targets', index];
  const memdev = scope.memdevOf(id);
  if (memdev === undefined) {
    throw new Unmet({
      message: `the guest has no memdev for ${id}: none has serial number ${serial}`,
      path,
      subject: '/sys/bus/cxl/devices/mem*/serial',
      expected: serial,
      received: Object.values(scope.state().memdevs).map((one) => one.serial),
    });
  }
  const decoder =
    freeEndpointDecoder(memdev, scope.state()) ?? endpointDecodersOf(memdev, scope.state()).at(-1);
  if (decoder !== undefined) return decoder;
  throw new Unmet({
    message: `${memdev} (${id}) has no endpoint decoder: its port did not come up`,
    path,
    subject: `/sys/bus/cxl/devices/${memdev}`,
  });
}
