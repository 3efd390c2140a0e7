import { z } from 'zod';
import type { State } from '../../abi/index.js';
import { type CaseKnowledge, type Fault, notARegion, unknownDevice } from '../load/case-knowledge.js';
import { parseDuration } from '../language/duration.js';
import { captureName, duration, text, thing } from '../language/scalars.js';
import { type Capture, onThisKernel } from '../steps/context.js';
import { Unmet } from '../steps/outcome.js';
import { type StepScope, lookUntil } from '../steps/scope.js';
import { blocksWithin, freeEndpointDecoder } from '../steps/select.js';
import { WAITS, defineStep } from './definition.js';

const captureBody = z
  .strictObject({
    as: captureName,
    'dax-of': thing.optional().meta({ description: 'a dax device of the region' }),
    'region-of': text.optional().meta({ description: 'the region that a topology device is part of' }),
    'memdev-of': text.optional().meta({ description: "a topology device's memN" }),
    'endpoint-decoder-of': text
      .optional()
      .meta({ description: "a topology device's first endpoint decoder with no DPA" }),
    'node-of': thing.optional().meta({ description: 'the NUMA node of the region' }),
    'namespace-of': thing.optional().meta({ description: 'a namespace that the region backs' }),
    'block-device-of': thing
      .optional()
      .meta({ description: 'the block device of a namespace that the region backs: pmem0' }),
    'block-of': thing.optional().meta({ description: 'the number of a memory block of the region' }),
    index: z.number().int().nonnegative().optional().meta({ description: 'which of several, from 0' }),
    within: duration.optional().meta({ description: 'waits so long for it to appear' }),
  })
  .meta({
    description: 'gives a name to something the kernel made',
    examples: [{ as: 'd', 'dax-of': 'r' }],
  });

export const capture = defineStep({
  schema: captureBody,
  honours: [],
  instead: { timeout: WAITS },
  captures: true,
  title: (body) => {
    const [what, of] = Object.entries(body).find(([key]) => key.endsWith('-of')) ?? ['', ''];
    return `capture ${body.as}: the ${what.replace(/-of$/, '').replaceAll('-', ' ')} of ${String(of)}`;
  },
  faults: faultsOfCapture,
  run: giveName,
});

const OF_REGION = ['dax-of', 'node-of', 'namespace-of', 'block-device-of', 'block-of'] as const;
const OF_DEVICE = ['region-of', 'memdev-of', 'endpoint-decoder-of'] as const;

function faultsOfCapture(body: z.output<typeof captureBody>, known: CaseKnowledge): Fault[] {
  const [first, second] = [...OF_REGION, ...OF_DEVICE].filter((key) => body[key] !== undefined);
  if (first === undefined) {
    return [{ path: [], message: `what is captured? one of: ${[...OF_REGION, ...OF_DEVICE].join(', ')}` }];
  }
  if (second !== undefined) {
    return [
      { path: [second], part: 'key', message: `one capture takes one thing: ${first} is here already` },
    ];
  }
  return [
    ...OF_REGION.filter((key) => key !== 'node-of').flatMap((key) => notARegion(body[key], [key], known)),
    ...OF_DEVICE.flatMap((key) => unknownDevice(body[key] ?? '${}', [key], known)),
  ];
}

type Body = z.output<typeof captureBody>;

/** Gives a name to something; without `within` it must be there now. */
async function giveName(body: Body, scope: StepScope): Promise<void> {
  await scope.current();
  const within = onThisKernel(scope.session.context, parseDuration(body.within ?? '') ?? 0);
  const found = await lookUntil(scope, within, (state) => find(body, state, scope));
  if (found === undefined) {
    const [key, of] = Object.entries(body).find(([name]) => name.endsWith('-of')) ?? ['', ''];
    throw new Unmet({
      message: `${String(of)} has no ${key.replace(/-of$/, '').replaceAll('-', ' ')}${body.index ? ` of index ${body.index}` : ''}`,
      path: [key],
      expected: `something to capture as ${body.as}`,
      received: 'nothing',
    });
  }
  scope.capture(body.as, found);
}

function find(body: Body, state: State, scope: StepScope): Capture | undefined {
  const index = body.index ?? 0;
  if (body['region-of'] !== undefined) {
    const memdev = memdevOf(body['region-of'], 'region-of', scope);
    const decoders = Object.values(state.decoders).filter(
      (one) => one.memdev === memdev && one.region !== undefined,
    );
    const regions = [...new Set(decoders.map((one) => one.region))];
    const name = regions[index];
    return name === undefined ? undefined : { kind: 'region', name, decoders: [] };
  }
  if (body['memdev-of'] !== undefined) {
    const name = memdevOf(body['memdev-of'], 'memdev-of', scope);
    const memdev = name === undefined ? undefined : state.memdevs[name];
    return name === undefined || !memdev ? undefined : { kind: 'memdev', name, serial: memdev.serial };
  }
  const value = findValue(body, state, scope, index);
  return value === undefined ? undefined : { kind: 'value', value };
}

function findValue(body: Body, state: State, scope: StepScope, index: number): string | number | undefined {
  if (body['dax-of'] !== undefined) return nthOf(state.daxDevices, body['dax-of'], index);
  if (body['namespace-of'] !== undefined) return nthOf(state.namespaces, body['namespace-of'], index);
  if (body['block-device-of'] !== undefined) {
    const namespace = nthOf(state.namespaces, body['block-device-of'], index);
    return namespace === undefined ? undefined : state.namespaces[namespace]?.blockDevice;
  }
  if (body['endpoint-decoder-of'] !== undefined) {
    const memdev = memdevOf(body['endpoint-decoder-of'], 'endpoint-decoder-of', scope);
    return memdev === undefined ? undefined : freeEndpointDecoder(memdev, state);
  }
  const region = body['node-of'] ?? body['block-of'] ?? '';
  const range = scope.session.ranges.get(region);
  const [block, memory] = (range ? blocksWithin(range, state) : [])[index] ?? [];
  if (body['block-of'] !== undefined) return block;
  return memory?.node ?? Object.values(state.daxDevices).find((one) => one.region === region)?.targetNode;
}

function nthOf(
  things: Readonly<Record<string, { readonly region?: string }>>,
  region: string,
  index: number,
): string | undefined {
  return Object.entries(things).filter(([, one]) => one.region === region)[index]?.[0];
}

function memdevOf(id: string, key: string, scope: StepScope): string | undefined {
  scope.device(id, [key]);
  return scope.memdevOf(id);
}
