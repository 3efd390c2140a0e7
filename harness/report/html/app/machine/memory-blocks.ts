import type { DaxDevice, Extent, MemoryBlock, Region, State } from '../../../../abi/state.js';

/** The memory map's content: every memory block of a state, by node and by the region it lies in. */
export interface MapNode {
  /** undefined: regions that have no memory blocks, hence no node */
  readonly node?: number;
  readonly groups: readonly MapGroup[];
}

export interface MapGroup {
  /** the region's name; undefined: system memory */
  readonly region?: string;
  readonly details?: Region;
  /** dax devices of the region, by name */
  readonly dax: readonly (readonly [name: string, device: DaxDevice])[];
  readonly cells: readonly MapCell[];
  /** dynamic capacity of the region, by offset */
  readonly extents: readonly MapExtent[];
}

export interface MapExtent {
  readonly name: string;
  /** as it is; of a vanished one as it was */
  readonly extent: Extent;
  readonly change?: 'appeared' | 'vanished';
}

export interface MapCell {
  readonly number: number;
  /** the block as it is; of a vanished one as it was */
  readonly block: MemoryBlock;
  /** what the step did to it */
  readonly change?: 'appeared' | 'vanished' | 'changed';
  /** before the step, when it changed */
  readonly before?: MemoryBlock;
}

export type CellKind = 'movable' | 'normal' | 'dma' | 'device' | 'other' | 'offline' | 'going-offline';

/** How a block is drawn. A block that spans zones, or is in one that is not known here, is `other`. */
export function cellKind({ state, zones }: MemoryBlock): CellKind {
  if (state === 'offline') return 'offline';
  if (state !== 'online') return 'going-offline';
  const [zone, another] = zones;
  if (another !== undefined) return 'other';
  switch (zone) {
    case 'Movable':
      return 'movable';
    case 'Normal':
      return 'normal';
    case 'DMA':
    case 'DMA32':
      return 'dma';
    case 'Device':
      return 'device';
    default:
      return 'other';
  }
}

/** Drawn in the cell, so that colour is never needed. */
export const CELL_MARK: Readonly<Record<CellKind, string>> = {
  movable: 'M',
  normal: 'N',
  dma: 'D',
  device: 'V',
  other: '?',
  offline: '–',
  'going-offline': '…',
};

/** @param previous the state before the step, to mark what the step did */
export function memoryMap(state: State, previous: State | undefined): MapNode[] {
  const nodes = new Map<number, Map<string | undefined, MapCell[]>>();
  for (const cell of cellsOf(state, previous)) {
    const owner = cell.change === 'vanished' && previous ? previous : state;
    const region = regionOf(cell.block, owner) ?? (previous && regionOf(cell.block, previous));
    const groups = nodes.get(cell.block.node) ?? new Map<string | undefined, MapCell[]>();
    groups.set(region, [...(groups.get(region) ?? []), cell]);
    nodes.set(cell.block.node, groups);
  }
  const drawn = new Set([...nodes.values()].flatMap((groups) => [...groups.keys()]));
  const withoutBlocks = Object.keys(state.regions).filter((region) => !drawn.has(region));
  const map: MapNode[] = [...nodes]
    .sort(([a], [b]) => a - b)
    .map(([node, groups]) => ({
      node,
      groups: [...groups]
        .sort(([a], [b]) => (a ?? '').localeCompare(b ?? '', 'en', { numeric: true }))
        .map(([region, cells]) => group(region, cells, state, previous)),
    }));
  if (withoutBlocks.length > 0) {
    map.push({ groups: withoutBlocks.map((region) => group(region, [], state, previous)) });
  }
  return map;
}

function group(
  region: string | undefined,
  cells: readonly MapCell[],
  state: State,
  previous: State | undefined,
): MapGroup {
  if (region === undefined) return { cells, dax: [], extents: [] };
  const details = state.regions[region] ?? previous?.regions[region];
  return {
    region,
    ...(details && { details }),
    dax: Object.entries(state.daxDevices).filter(([, device]) => device.region === region),
    cells,
    extents: extentsOf(region, state, previous ?? state),
  };
}

function extentsOf(region: string, { extents: now = {} }: State, { extents: then = {} }: State): MapExtent[] {
  return Object.entries({ ...then, ...now })
    .filter(([, extent]) => extent.region === region)
    .map(([name, extent]): MapExtent => {
      if (!(name in now)) return { name, extent, change: 'vanished' };
      return name in then ? { name, extent } : { name, extent, change: 'appeared' };
    })
    .sort((a, b) => a.extent.offset - b.extent.offset);
}

function cellsOf(state: State, previous: State | undefined): MapCell[] {
  const before = previous?.memoryBlocks ?? state.memoryBlocks;
  const numbers = new Set([...Object.keys(before), ...Object.keys(state.memoryBlocks)].map(Number));
  return [...numbers]
    .sort((a, b) => a - b)
    .flatMap((number): MapCell[] => {
      const now = state.memoryBlocks[number];
      const then = before[number];
      if (now && !then) return [{ number, block: now, change: 'appeared' }];
      if (!now && then) return [{ number, block: then, change: 'vanished' }];
      if (!now || !then) return [];
      const same = now.state === then.state && cellKind(now) === cellKind(then) && now.node === then.node;
      return same ? [{ number, block: now }] : [{ number, block: now, change: 'changed', before: then }];
    });
}

function regionOf({ physAddress }: MemoryBlock, { regions }: State): string | undefined {
  return Object.entries(regions).find(
    ([, { start, size }]) => size > 0 && physAddress >= start && physAddress < start + size,
  )?.[0];
}
