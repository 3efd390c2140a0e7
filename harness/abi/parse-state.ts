import { parseIomem } from './iomem.js';
import { byName, readingsOf, type Bus, type Readings } from './readings.js';
import type {
  DaxDevice,
  Decoder,
  Extent,
  Memdev,
  MemoryBlock,
  Namespace,
  NdRegion,
  NumaNode,
  Port,
  Region,
  State,
} from './state.js';

/**
 * The state from what `stateScript` printed: `device PATH REALPATH`, `driver PATH NAME`, `uport PATH NAME`,
 * `name PATH` lines, then grep's `FILE:LINE` for every line of every file. A device of which an
 * attribute that every such device has is missing was just going away: it is left out.
 */
export function parseState(text: string): State {
  const read = readingsOf(text);
  const memoryBlockBytes = parseInt(read.file('/sys/devices/system/memory/block_size_bytes') ?? '0', 16);
  const nodesOfBlocks = new Map(
    read.names('/sys/devices/system/node/').flatMap((name) => {
      const match = /^node(\d+)\/memory(\d+)$/.exec(name);
      return match ? [[Number(match[2]), Number(match[1])] as const] : [];
    }),
  );
  const regions = devicesOf(read, 'cxl', /^region\d+$/, regionOf);
  const ndRegions = ndRegionsOf(read, regions);
  const cxl = {
    memdevs: devicesOf(read, 'cxl', /^mem\d+$/, memdevOf),
    ports: devicesOf(read, 'cxl', /^(root|port|endpoint)\d+$/, portOf),
    decoders: devicesOf(read, 'cxl', /^decoder\d+\.\d+$/, decoderOf),
  };
  return {
    memdevs: withEndpoints(cxl.memdevs, cxl.ports),
    ports: cxl.ports,
    decoders: cxl.decoders,
    regions,
    daxDevices: devicesOf(read, 'dax', /^dax\d+\.\d+$/, (_, name) => daxDeviceOf(read, name, ndRegions)),
    ...optional('extents', nonEmptyRecord(extentsOf(read, Object.keys(regions)))),
    deviceNodes: read.names('/dev/').sort(byName),
    memoryBlocks: memoryBlocksOf(read, nodesOfBlocks, memoryBlockBytes),
    memoryBlockBytes,
    autoOnlineBlocks: read.file('/sys/devices/system/memory/auto_online_blocks') ?? '',
    nodes: nodesOf(read),
    iomem: parseIomem(read.file('/proc/iomem') ?? ''),
    ndRegions,
    namespaces: namespacesOf(read, ndRegions),
    bindings: byBus((bus) =>
      Object.fromEntries(read.devices(bus).map((name) => [name, read.driver(bus, name)])),
    ),
    drivers: byBus((bus) => read.names(`/sys/bus/${bus}/drivers/`).sort(byName)),
    modules: (read.file('/proc/modules') ?? '')
      .split('\n')
      .flatMap((line) => line.split(' ')[0] || [])
      .sort(byName),
    deniedModules: read
      .names('/etc/modprobe.d/')
      .map((name) => name.replace(/^deny-(.*)\.conf$/, '$1'))
      .sort(byName),
  };
}

function devicesOf<T>(
  read: Readings,
  bus: Bus,
  pattern: RegExp,
  make: (read: Readings, name: string) => T | undefined,
): Record<string, T> {
  return Object.fromEntries(
    read.devices(bus).flatMap((name) => {
      const made = pattern.test(name) ? make(read, name) : undefined;
      return made === undefined ? [] : [[name, made] as const];
    }),
  );
}

function memdevOf(read: Readings, name: string): Memdev | undefined {
  const get = (attribute: string): string | undefined => read.attribute('cxl', name, attribute);
  const serial = get('serial');
  if (serial === undefined) return undefined;
  const pciAddress = /\/([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\/mem\d+$/.exec(
    read.realPath('cxl', name),
  )?.[1];
  return {
    serial: Number(serial),
    ramBytes: Number(get('ram/size') ?? 0),
    pmemBytes: Number(get('pmem/size') ?? 0),
    ...optional('dcBytes', numberOf(get('dc/size') ?? get('dynamic_ram_1/size'))),
    ...optional('numaNode', numberOf(get('numa_node'))),
    ...optional('pciAddress', pciAddress),
  };
}

function withEndpoints(
  memdevs: Readonly<Record<string, Memdev>>,
  ports: Readonly<Record<string, Port>>,
): Record<string, Memdev> {
  const endpoints = new Map(Object.entries(ports).map(([name, { uport }]) => [uport, name]));
  return Object.fromEntries(
    Object.entries(memdevs).map(([name, memdev]) => [
      name,
      { ...memdev, ...optional('endpoint', endpoints.get(name)) },
    ]),
  );
}

function portOf(read: Readings, name: string): Port | undefined {
  const uport = read.uport('cxl', name);
  return uport === undefined ? undefined : { uport };
}

function decoderOf(read: Readings, name: string): Decoder | undefined {
  const get = (attribute: string): string | undefined => read.attribute('cxl', name, attribute);
  const port = parentOf(read.realPath('cxl', name));
  if (get('size') === undefined) return undefined;
  const kind = port.startsWith('root') ? 'root' : port.startsWith('endpoint') ? 'endpoint' : 'switch';
  const dpaSize = numberOf(get('dpa_size'));
  const isEndpoint = kind === 'endpoint';
  return {
    kind,
    port,
    start: Number(get('start') ?? 0),
    size: Number(get('size')),
    interleaveWays: Number(get('interleave_ways') ?? 0),
    interleaveGranularity: Number(get('interleave_granularity') ?? 0),
    targetList: (get('target_list') ?? '').split(',').filter(Boolean).map(Number),
    ...optional('region', nonEmpty(get('region'))),
    ...(isEndpoint ? optional('mode', get('mode')) : {}),
    ...(isEndpoint ? optional('dpaSize', dpaSize) : {}),
    // without an allocation the kernel prints all ones
    ...(isEndpoint && dpaSize ? optional('dpaStart', numberOf(get('dpa_resource'))) : {}),
    ...(isEndpoint ? optional('memdev', nonEmpty(read.uport('cxl', port))) : {}),
  };
}

function regionOf(read: Readings, name: string): Region | undefined {
  const get = (attribute: string): string | undefined => read.attribute('cxl', name, attribute);
  if (get('size') === undefined) return undefined;
  const targets: (string | null)[] = [];
  let hotplug: string | undefined;
  for (const attribute of read.attributes('cxl', name)) {
    const index = /^target(\d+)$/.exec(attribute)?.[1];
    if (index !== undefined) targets[Number(index)] = nonEmpty(get(attribute)) ?? null;
    if (attribute.endsWith('/hotplug')) hotplug = get(attribute);
  }
  return {
    rootDecoder: parentOf(read.realPath('cxl', name)),
    ...optional('mode', get('mode')),
    ...optional('uuid', nonEmpty(get('uuid'))),
    // without an allocation the kernel prints all ones
    start: Number(get('size')) === 0 ? 0 : Number(get('resource') ?? 0),
    size: Number(get('size')),
    interleaveWays: Number(get('interleave_ways') ?? 0),
    interleaveGranularity: Number(get('interleave_granularity') ?? 0),
    committed: get('commit') === '1',
    driver: read.driver('cxl', name),
    targets: Array.from(targets, (target) => target ?? null),
    ...optional('hotplug', hotplug),
  };
}

/** By its path: a region's own dax device lies below the region, that of a namespace below libnvdimm's region. */
function regionOfDax(path: string, ndRegions: Readonly<Record<string, NdRegion>>): string | undefined {
  const nd = /\/ndbus\d+\/(region\d+)\//.exec(path)?.[1];
  return nd === undefined ? /\/decoder[\d.]+\/(region\d+)\//.exec(path)?.[1] : ndRegions[nd]?.region;
}

function daxDeviceOf(
  read: Readings,
  name: string,
  ndRegions: Readonly<Record<string, NdRegion>>,
): DaxDevice | undefined {
  const get = (attribute: string): string | undefined => read.attribute('dax', name, attribute);
  if (get('size') === undefined) return undefined;
  return {
    driver: read.driver('dax', name),
    size: Number(get('size')),
    ...optional('align', numberOf(get('align'))),
    ...optional('targetNode', numberOf(get('target_node'))),
    ...optional('numaNode', numberOf(get('numa_node'))),
    ...optional('start', numberOf(get('resource'))),
    ...optional('state', get('state')),
    ...optional('hotplug', get('hotplug')),
    ...optional('region', regionOfDax(read.realPath('dax', name), ndRegions)),
  };
}

/** What the kernel says for no tag. */
const NULL_UUID = /^[0-]+$/;

/** They are on no bus, but below their region. */
function extentsOf(read: Readings, regions: readonly string[]): Record<string, Extent> {
  const found: Record<string, Extent> = {};
  for (const region of regions) {
    for (const attribute of read.attributes('cxl', region)) {
      const [, path = '', name] = /^(.*?(extent\d+\.\d+))\/length$/.exec(attribute) ?? [];
      if (name === undefined) continue;
      const get = (key: string): string | undefined => read.attribute('cxl', region, `${path}/${key}`);
      const tag = nonEmpty(get('tag'));
      found[name] = {
        region,
        offset: Number(get('offset')),
        length: Number(get('length')),
        ...optional('tag', tag !== undefined && NULL_UUID.test(tag) ? undefined : tag),
        ...optional('dax', nonEmpty(get('dax'))),
      };
    }
  }
  return found;
}

function memoryBlocksOf(
  read: Readings,
  nodes: ReadonlyMap<number, number>,
  blockBytes: number,
): Record<number, MemoryBlock> {
  const blocks: Record<number, MemoryBlock> = {};
  for (const [block, node] of nodes) {
    const path = `/sys/devices/system/memory/memory${block}`;
    const state = read.file(`${path}/state`);
    if (state === undefined) continue;
    blocks[block] = {
      state,
      zones: (read.file(`${path}/valid_zones`) ?? '').split(' ').filter(Boolean),
      node,
      physAddress: block * blockBytes,
    };
  }
  return blocks;
}

function nodesOf(read: Readings): Record<number, NumaNode> {
  const folder = '/sys/devices/system/node';
  const [online, hasMemory, hasCpu] = ['online', 'has_memory', 'has_cpu'].map(
    (name) => new Set(idsOf(read.file(`${folder}/${name}`) ?? '')),
  );
  const nodes: Record<number, NumaNode> = {};
  for (const id of online ?? []) {
    const total = /MemTotal:\s*(\d+) kB/.exec(read.file(`${folder}/node${id}/meminfo`) ?? '')?.[1];
    nodes[id] = {
      online: true,
      hasMemory: hasMemory?.has(id) ?? false,
      hasCpu: hasCpu?.has(id) ?? false,
      memoryBytes: Number(total ?? 0) * 1024,
    };
  }
  return nodes;
}

/** How the kernel's words for a namespace's mode read in ndctl's. */
const NAMESPACE_MODES: Readonly<Record<string, string>> = { memory: 'fsdax', dax: 'devdax', safe: 'sector' };

/** libnvdimm's region has the address of the CXL region that it was made of, and no link to it. */
function ndRegionsOf(read: Readings, regions: Readonly<Record<string, Region>>): Record<string, NdRegion> {
  return devicesOf(read, 'nd', /^region\d+$/, (_, name) => {
    const start = numberOf(read.attribute('nd', name, 'resource'));
    const region = Object.entries(regions).find(([, one]) => one.size > 0 && one.start === start)?.[0];
    return { size: numberOf(read.attribute('nd', name, 'size')) ?? 0, ...optional('region', region) };
  });
}

function namespacesOf(
  read: Readings,
  ndRegions: Readonly<Record<string, NdRegion>>,
): Record<string, Namespace> {
  return devicesOf(read, 'nd', /^namespace\d+\.\d+$/, (_, name) => {
    const get = (attribute: string): string | undefined => read.attribute('nd', name, attribute);
    const size = numberOf(get('size'));
    if (!size) return undefined;
    const ndRegion = parentOf(read.realPath('nd', name));
    const holder = nonEmpty(get('holder'));
    const mode = nonEmpty(get('mode'));
    const blockDevice = read
      .names('/sys/bus/nd/devices/')
      .find((path) => path.startsWith(`${holder ?? name}/block/`))
      ?.split('/')
      .at(-1);
    return {
      ...optional('mode', mode === undefined ? undefined : (NAMESPACE_MODES[mode] ?? mode)),
      size,
      ...optional('uuid', nonEmpty(get('uuid'))),
      ...optional('blockDevice', blockDevice),
      driver: read.driver('nd', holder ?? name),
      ndRegion,
      ...optional('region', ndRegions[ndRegion]?.region),
    };
  });
}

function byBus<T>(make: (bus: Bus) => T): Record<Bus, T> {
  return { cxl: make('cxl'), dax: make('dax'), nd: make('nd') };
}

/** The kernel's list of numbers, `0-1,3`, as numbers. */
export function idsOf(list: string): number[] {
  return list
    .split(',')
    .filter(Boolean)
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

function parentOf(path: string): string {
  return path.split('/').at(-2) ?? '';
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function nonEmptyRecord<T>(things: Record<string, T>): Record<string, T> | undefined {
  return Object.keys(things).length === 0 ? undefined : things;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
