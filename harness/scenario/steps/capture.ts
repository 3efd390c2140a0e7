import type { State } from '../../abi/index.js';
import { parseDuration } from '../duration.js';
import type { StepBody } from '../language.js';
import { onThisKernel, type Capture } from './context.js';
import { Unmet } from './outcome.js';
import { lookUntil, type StepScope } from './scope.js';
import { blocksWithin, freeEndpointDecoder } from './select.js';

type Body = StepBody<'capture'>;

/** Gives a name to something; without `within` it must be there now. */
export async function capture(body: Body, scope: StepScope): Promise<void> {
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
  const value = findValue(body, state, scope, index);
  return value === undefined ? undefined : { kind: 'value', value };
}

function findValue(body: Body, state: State, scope: StepScope, index: number): string | number | undefined {
  if (body['dax-of'] !== undefined) return nthOf(state.daxDevices, body['dax-of'], index);
  if (body['namespace-of'] !== undefined) return nthOf(state.namespaces, body['namespace-of'], index);
  if (body['memdev-of'] !== undefined) return memdevOf(body['memdev-of'], 'memdev-of', scope);
  if (body['pci-of'] !== undefined)
    return state.memdevs[memdevOf(body['pci-of'], 'pci-of', scope) ?? '']?.pciAddress;
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
