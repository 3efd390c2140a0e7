import { formatSize } from '../../base/size.js';
import type { State, StateChange } from '../../abi/index.js';
import type { MachinePlan } from '../../topology/plan.js';
import type { StepBody } from '../language/language.js';

type Expectation = StepBody<'expect'>;
type Clauses = {
  [
    K in 'region' | 'memdev' | 'dax' | 'memory' | 'node' | 'driver' | 'namespace' | 'module' | 'extents'
  ]: Record<string, unknown>[];
};

/**
 * What a line brought about, as an expectation: of each thing that came, went or changed, what is so now.
 * @returns undefined when nothing changed that an expectation could say
 */
export function observed(
  changes: readonly StateChange[],
  state: State,
  machine: MachinePlan,
): Expectation | undefined {
  const clauses: Clauses = {
    region: [],
    memdev: [],
    dax: [],
    memory: [],
    node: [],
    driver: [],
    namespace: [],
    module: [],
    extents: [],
  };
  const touched = (kind: string): string[] => [
    ...new Set(changes.flatMap(({ keys }) => (keys[0] === kind && keys[1] !== undefined ? [keys[1]] : []))),
  ];
  for (const name of touched('regions')) {
    const clause = regionClause(name, state, machine);
    const changed = changedParts('regions', name, changes);
    // of a region that was there before, only what became another
    const told = Object.entries(clause).filter(([key]) => key === 'name' || !changed || changed.has(key));
    if (told.length > 1) clauses.region.push(Object.fromEntries(told));
  }
  for (const name of touched('daxDevices')) clauses.dax.push(daxClause(name, state));
  const grown = touched('extents').map((name) => state.extents?.[name]?.region ?? regionOfExtent(name));
  for (const region of new Set(grown)) clauses.extents.push(extentsClause(region, state));
  clauses.memory.push(...memoryClauses(touched('memoryBlocks').map(Number), state));
  for (const id of touched('nodes'))
    clauses.node.push({ id: Number(id), memory: state.nodes[Number(id)]?.hasMemory ?? false });
  clauses.memdev.push(...memdevClauses(changes, machine));
  clauses.driver.push(...driverClauses(changes, state));
  for (const name of touched('namespaces')) {
    const found = state.namespaces[name];
    clauses.namespace.push(
      found ? present({ name, mode: found.mode, size: formatSize(found.size) }) : { name, count: 0 },
    );
  }
  for (const [name, loaded] of moduleChanges(changes)) clauses.module.push({ name, loaded });
  const found = Object.entries(clauses).filter(([, list]) => list.length > 0);
  if (found.length === 0) return undefined;
  return Object.fromEntries(found.map(([kind, list]) => [kind, list.length === 1 ? list[0] : list]));
}

/** The parts of a thing that changed, by their names in the language; undefined when all of it came or went. */
function changedParts(kind: string, name: string, changes: readonly StateChange[]): Set<string> | undefined {
  const own = changes.filter(({ keys }) => keys[0] === kind && keys[1] === name);
  if (own.some(({ keys }) => keys.length === 2)) return undefined;
  return new Set(own.map(({ keys }) => (keys[2] === 'interleaveWays' ? 'interleave_ways' : (keys[2] ?? ''))));
}

function regionClause(name: string, state: State, machine: MachinePlan): Record<string, unknown> {
  const region = state.regions[name];
  if (!region) return { name, exists: false };
  const targets = region.targets.map((target) => deviceOf(target, state, machine));
  return present({
    name,
    mode: region.mode,
    size: region.size > 0 ? formatSize(region.size) : undefined,
    interleave_ways: region.interleaveWays > 0 ? region.interleaveWays : undefined,
    committed: region.committed,
    driver: region.driver,
    targets: targets.length > 0 && targets.every((id) => id !== undefined) ? targets : undefined,
  });
}

function deviceOf(decoder: string | null, state: State, { devices }: MachinePlan): string | undefined {
  const memdev = decoder === null ? undefined : state.decoders[decoder]?.memdev;
  const serial = memdev === undefined ? undefined : state.memdevs[memdev]?.serial;
  return devices.find((device) => device.serial === serial)?.id;
}

function daxClause(name: string, state: State): Record<string, unknown> {
  const device = state.daxDevices[name];
  if (!device) return { name, exists: false };
  return present({ name, driver: device.driver, size: formatSize(device.size), state: device.state });
}

/** extent0.1 is one of region0. */
function regionOfExtent(name: string): string {
  return `region${/\d+/.exec(name)?.[0] ?? ''}`;
}

function extentsClause(region: string, state: State): Record<string, unknown> {
  const own = Object.values(state.extents ?? {}).filter((extent) => extent.region === region);
  const bytes = own.reduce((sum, { length }) => sum + length, 0);
  return present({ of: region, count: own.length, bytes: own.length > 0 ? formatSize(bytes) : undefined });
}

/** Of a region whose blocks are all alike one clause; else one for every block that changed. */
function memoryClauses(blocks: readonly number[], state: State): Record<string, unknown>[] {
  if (blocks.length === 0) return [];
  const clauses: Record<string, unknown>[] = [];
  const rest = new Set(blocks);
  for (const [name, { start, size }] of Object.entries(state.regions)) {
    const within = (address: number): boolean => address >= start && address < start + size;
    const all = Object.values(state.memoryBlocks).filter(({ physAddress }) => within(physAddress));
    const alike = new Set(all.map(({ state: now, zones }) => JSON.stringify([now, zones]))).size <= 1;
    if (!alike || !blocks.some((block) => within(block * state.memoryBlockBytes))) continue;
    const [one] = all;
    const isOnline = one?.state === 'online' && one.zones.length === 1;
    clauses.push(
      present({ of: name, count: all.length, state: one?.state, zone: isOnline ? one.zones[0] : undefined }),
    );
    for (const block of blocks) if (within(block * state.memoryBlockBytes)) rest.delete(block);
  }
  for (const block of rest) {
    const one = state.memoryBlocks[block];
    clauses.push(one ? { block, state: one.state } : { block, count: 0 });
  }
  return clauses;
}

/** Names of memdevs are not stable: they are spoken of by the topology's. */
function memdevClauses(changes: readonly StateChange[], { devices }: MachinePlan): Record<string, unknown>[] {
  return changes.flatMap(({ keys, before, after }) => {
    if (keys[0] !== 'memdevs' || keys.length !== 2) return [];
    const { serial } = (after ?? before) as { readonly serial?: number };
    const device = devices.find((one) => one.serial === serial);
    return device ? [{ device: device.id, exists: after !== undefined }] : [];
  });
}

/** Regions and dax devices say their driver themselves; numbered devices of the cxl bus have no stable names. */
function driverClauses(changes: readonly StateChange[], state: State): Record<string, unknown>[] {
  return changes.flatMap(({ keys, after }) => {
    const [kind, bus, device] = keys;
    if (kind !== 'bindings' || bus !== 'nd' || device === undefined || after === undefined) return [];
    return [{ bus, device, driver: state.bindings.nd[device] ?? null }];
  });
}

function moduleChanges(changes: readonly StateChange[]): [name: string, loaded: boolean][] {
  const change = changes.find(({ keys }) => keys[0] === 'modules');
  if (!change) return [];
  const before = new Set(change.before as readonly string[] | undefined);
  const after = new Set(change.after as readonly string[] | undefined);
  return [
    ...[...after].filter((name) => !before.has(name)).map((name): [string, boolean] => [name, true]),
    ...[...before].filter((name) => !after.has(name)).map((name): [string, boolean] => [name, false]),
  ];
}

function present(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
