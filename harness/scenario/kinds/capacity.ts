import { z } from 'zod';
import { writeLine } from '../../abi/index.js';
import { formatSize, parseSize } from '../../base/size.js';
import { DYNAMIC_BLOCK, EVENT_RECORDS } from '../../topology/emulator-limits.js';
import type { PlannedMock } from '../../topology/plan.js';
import { type CaseKnowledge, type Fault, unknownDevice } from '../load/case-knowledge.js';
import { size, text } from '../language/scalars.js';
import { Unmet } from '../steps/outcome.js';
import { giveCommand } from '../steps/give-command.js';
import type { StepScope } from '../steps/scope.js';
import { toBytes } from '../steps/values.js';
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
      z.strictObject({
        offset: size.meta({ description: 'from the start of that region' }),
        length: size,
        tag: text.optional().meta({ description: "another than the step's, of a mock" }),
        sequence: z
          .number()
          .int()
          .min(0)
          .max(0xffff)
          .optional()
          .meta({ description: 'place in a shareable allocation, of a mock' }),
      }),
    )
    .min(1)
    .max(64)
    .meta({ description: 'in this order' }),
  tag: text.optional().meta({ description: 'the UUID of the allocation, of a mock' }),
};

type CapacityRequest = z.output<z.ZodObject<typeof capacityRequest>>;
type AnyRequest = CapacityRequest & { readonly forced?: boolean; readonly more?: boolean };

const NO_TAGS = 'QEMU gives every extent the null tag, whatever it is asked for';

function extentsOf({ device, extents }: Pick<CapacityRequest, 'device' | 'extents'>): string {
  return `${extents.map(({ offset, length }) => `${sizeOf(length)} at ${sizeOf(offset)}`).join(', ')} of ${device}`;
}

const addBody = z
  .strictObject({
    ...capacityRequest,
    more: z
      .boolean()
      .default(false)
      .meta({ description: 'the offer goes on in a step after this one, of a mock' }),
  })
  .meta({
    description: 'has a device offer dynamic capacity: the extents of one step are one offer',
    examples: [{ device: 'mem0', extents: [{ offset: 0, length: '128M' }] }],
  });

export const addCapacity = defineStep({
  schema: addBody,
  honours: [],
  title: (body) => `offer ${extentsOf(body)}`,
  faults: faultsOfCapacity,
  run: offer,
});

const releaseBody = z
  .strictObject({
    ...capacityRequest,
    forced: z.boolean().default(false).meta({ description: 'takes it instead of asking for it, of a mock' }),
  })
  .meta({
    description: 'has a device ask for dynamic capacity back',
    examples: [{ device: 'mem0', extents: [{ offset: 0, length: '128M' }] }],
  });

export const releaseCapacity = defineStep({
  schema: releaseBody,
  honours: [],
  title: (body) => `${body.forced ? 'take back' : 'ask back'} ${extentsOf(body)}`,
  faults: faultsOfCapacity,
  run: askBack,
});

/** What is certainly wrong with a step that adds or releases dynamic capacity, and what QEMU can't do. */
function faultsOfCapacity(body: AnyRequest, known: CaseKnowledge): Fault[] {
  const { device, extents, region } = body;
  const mock = known.plan?.mocks?.find(({ id }) => id === device);
  // what a device must not offer is what mocks are for
  if (mock) return mock.dynamic ? [] : [fault(['device'], `${device} has no dynamic capacity`)];
  const cannot: Fault[] = [
    ...whatMocksCan(body),
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

/** Of a step for a device of QEMU: what only a mock of the kernel can be asked for. */
function whatMocksCan({ extents, tag, forced, more }: AnyRequest): Fault[] {
  const asked: readonly (readonly [path: Fault['path'], value: unknown, instead: string])[] = [
    [['tag'], tag, NO_TAGS],
    ...extents.flatMap((one, index) => [
      [['extents', index, 'tag'], one.tag, NO_TAGS] as const,
      [['extents', index, 'sequence'], one.sequence, 'QEMU has no shareable capacity'] as const,
    ]),
    [['forced'], forced || undefined, 'QEMU has no forced release: it asks, and the guest answers'],
    [['more'], more || undefined, 'QEMU makes the extents of one command a whole offer'],
  ];
  return asked.flatMap(([path, value, instead]) =>
    value === undefined
      ? []
      : [
          fault(
            path,
            instead,
            "the mocks of the kernel's cxl_test can: see the topology dynamic-capacity-mocks",
          ),
        ],
  );
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

/** The device's side of dynamic capacity. What the host makes of it comes later: an `expect` waits for it. */

async function offer(body: z.output<typeof addBody>, scope: StepScope): Promise<void> {
  const mock = mockOf(body, scope);
  if (mock) return writeTo(mock, 'dc_offer', [...wordsOf(body), ...(body.more ? ['more'] : [])], scope);
  await asked(
    giveCommand(
      scope,
      'cxl-add-dynamic-capacity',
      { ...requestOf(body, scope), 'selection-policy': 'prescriptive' },
      [],
    ),
    /already accessible/,
    'the host has some of it already, and has not given it back',
  );
}

async function askBack(body: z.output<typeof releaseBody>, scope: StepScope): Promise<void> {
  const mock = mockOf(body, scope);
  if (mock) return writeTo(mock, body.forced ? 'dc_take' : 'dc_ask', wordsOf(body), scope);
  await asked(
    giveCommand(
      scope,
      'cxl-release-dynamic-capacity',
      { ...requestOf(body, scope), 'removal-policy': 'prescriptive', 'forced-removal': body.forced },
      [],
    ),
    /non-existing DPA range/,
    'the host does not have all of it',
  );
}

/** What QEMU refuses because of what the host has, or has not, is the host's doing: it answered otherwise than it should. */
async function asked(command: Promise<unknown>, refusal: RegExp, message: string): Promise<void> {
  try {
    await command;
  } catch (error) {
    if (!(error instanceof Unmet) || !refusal.test(error.message)) throw error;
    throw new Unmet({
      message: `${message} (${error.message})`,
      path: ['extents'],
      subject: error.mismatch.subject ?? 'QMP',
      received: error.mismatch.received,
    });
  }
}

type Request = Pick<z.output<typeof addBody>, 'device' | 'region' | 'extents' | 'tag'>;

function mockOf({ device }: Request, scope: StepScope): PlannedMock | undefined {
  const found = scope.device(device, ['device']);
  return 'platformDevice' in found ? found : undefined;
}

/** What series/dynamic-capacity's mock understands: a tag holds for the extents after it, and there is none at first. */
function wordsOf({ extents, tag: common = NIL }: Request): string[] {
  let current = NIL;
  return extents.flatMap(({ offset, length, tag = common, sequence }, index) => {
    const place = [
      toBytes(offset, ['extents', index, 'offset']),
      toBytes(length, ['extents', index, 'length']),
    ].map((bytes) => `0x${bytes.toString(16)}`);
    const extent = [...place, ...(sequence === undefined ? [] : [sequence])].join(':');
    if (tag === current) return [extent];
    current = tag;
    return [tag, extent];
  });
}

async function writeTo(
  { platformDevice }: PlannedMock,
  attribute: string,
  words: readonly string[],
  scope: StepScope,
): Promise<void> {
  await scope.type(writeLine(`/sys/bus/platform/devices/${platformDevice}/${attribute}`, words.join(' ')));
}

/** The null tag: none. */
const NIL = '00000000-0000-0000-0000-000000000000';

function requestOf({ device, region, extents }: Request, scope: StepScope): Record<string, unknown> {
  return {
    path: scope.qemuDevice(device, ['device']).id,
    // of the one host that there is
    'host-id': 0,
    region,
    extents: extents.map(({ offset, length }, index) => ({
      offset: toBytes(offset, ['extents', index, 'offset']),
      len: toBytes(length, ['extents', index, 'length']),
    })),
  };
}
