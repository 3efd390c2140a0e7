import { plural } from '../../../plural.js';
import type { State } from '../../../../abi/state.js';
import { h } from '../frame/dom.js';
import {
  CELL_MARK,
  cellKind,
  memoryMap,
  type CellKind,
  type MapCell,
  type MapExtent,
  type MapGroup,
} from './memory-blocks.js';
import { bytes, hex } from '../frame/text.js';

/** The memory blocks of a state as cells, with what the step before it did to them. */
export function drawMemoryMap(state: State, previous: State | undefined): HTMLElement {
  const nodes = memoryMap(state, previous);
  return h(
    'div',
    { class: 'memory-map' },
    ...nodes.map(({ node, groups }) =>
      h(
        'section',
        { class: 'map-node' },
        h('h3', {}, node === undefined ? 'No memory blocks' : `Node ${node}`),
        ...groups.map((group) => drawGroup(group, state.memoryBlockBytes)),
      ),
    ),
    h('p', { class: 'map-policy' }, `auto_online_blocks: ${state.autoOnlineBlocks}`),
    legend(nodes.flatMap(({ groups }) => groups.flatMap(({ cells }) => cells))),
  );
}

function drawGroup(group: MapGroup, blockBytes: number): HTMLElement {
  const { region, details, dax, cells, extents } = group;
  const present = cells.filter(({ change }) => change !== 'vanished');
  return h(
    'div',
    { class: 'map-group' },
    h(
      'div',
      { class: 'map-label' },
      h('b', {}, region ?? 'System RAM'),
      details && h('span', {}, `${bytes(details.size)}${details.driver ? ` · ${details.driver}` : ''}`),
      ...dax.map(([name, device]) =>
        h('span', {}, `${name} · ${device.driver ?? 'no driver'}${device.state ? ` · ${device.state}` : ''}`),
      ),
      h('span', { class: 'map-count' }, summary(present, blockBytes)),
    ),
    details && extents.length > 0 && drawExtents(extents, details.size),
    cells.length > 0 &&
      h('div', { class: 'cells', role: 'list' }, ...cells.map((cell) => drawCell(cell, blockBytes))),
  );
}

/** Where in its region the device offers capacity, in proportion. */
function drawExtents(extents: readonly MapExtent[], regionBytes: number): HTMLElement {
  return h(
    'div',
    { class: 'extents', role: 'list' },
    ...extents.map(({ name, extent: { offset, length, tag, dax }, change = '' }) => {
      const text = [
        `${name}: ${bytes(length)} at ${hex(offset)}`,
        tag === undefined ? 'no tag' : `tag ${tag}`,
        dax === undefined ? 'no dax device' : dax,
        ...(change === '' ? [] : [`${change} in this step`]),
      ].join('\n');
      const share = (part: number): string => `${(100 * part) / regionBytes}%`;
      const place = { '--offset': share(offset), '--length': share(length) };
      return h(
        'span',
        { class: `extent ${change}`, role: 'listitem', title: text, 'aria-label': text, style: place },
        dax ?? name,
      );
    }),
  );
}

function summary(cells: readonly MapCell[], blockBytes: number): string {
  if (cells.length === 0) return 'no memory blocks';
  const counts = new Map<string, number>();
  for (const { block } of cells) {
    const kind = cellKind(block);
    const name =
      kind === 'other'
        ? 'online in several zones'
        : kind === 'offline'
          ? 'offline'
          : `${block.state} ${block.zones.join('+')}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].map(([name, count]) => (counts.size > 1 ? `${count} ${name}` : name));
  return `${plural(cells.length, 'block')} of ${bytes(blockBytes)}: ${parts.join(', ')}`;
}

function drawCell(cell: MapCell, blockBytes: number): HTMLElement {
  const kind = cellKind(cell.block);
  const text = describe(cell, blockBytes);
  return h(
    'span',
    { class: `cell ${kind} ${cell.change ?? ''}`, role: 'listitem', title: text, 'aria-label': text },
    cell.change === 'vanished' ? '×' : mark(cell, kind),
  );
}

function mark({ block }: MapCell, kind: CellKind): string {
  return kind === 'dma' && block.zones[0] === 'DMA32' ? '32' : CELL_MARK[kind];
}

function describe({ number, block, change, before }: MapCell, blockBytes: number): string {
  const lines = [
    `memory${number}: ${block.state}, ${block.zones.join(' ') || 'no zone'}`,
    `node ${block.node}, ${hex(block.physAddress)}-${hex(block.physAddress + blockBytes - 1)}`,
    change === 'appeared' ? 'appeared in this step' : undefined,
    change === 'vanished' ? 'vanished in this step' : undefined,
    before ? `was ${before.state}, ${before.zones.join(' ') || 'no zone'}` : undefined,
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}

const KIND_NAMES: Readonly<Record<CellKind, string>> = {
  movable: 'online, Movable',
  normal: 'online, Normal',
  dma: 'online, DMA',
  device: 'online, Device',
  other: 'online, several zones',
  offline: 'offline',
  'going-offline': 'going offline',
};

/** Explains what is on show, not all there could be. */
function legend(cells: readonly MapCell[]): HTMLElement {
  const kinds = new Set(
    cells.filter(({ change }) => change !== 'vanished').map(({ block }) => cellKind(block)),
  );
  const changes = new Set(cells.map(({ change }) => change));
  const sample = (style: string, mark: string, name: string): HTMLElement =>
    h(
      'span',
      { class: 'legend-entry' },
      h('span', { class: `cell ${style}`, 'aria-hidden': 'true' }, mark),
      name,
    );
  return h(
    'div',
    { class: 'legend' },
    ...(Object.keys(KIND_NAMES) as CellKind[])
      .filter((kind) => kinds.has(kind))
      .map((kind) => sample(kind, CELL_MARK[kind], KIND_NAMES[kind])),
    changes.has('appeared') && sample('appeared blank', '', 'appeared'),
    changes.has('changed') && sample('changed blank', '', 'changed'),
    changes.has('vanished') && sample('vanished', '×', 'vanished'),
  );
}
