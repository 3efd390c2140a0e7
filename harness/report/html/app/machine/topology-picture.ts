import type { State } from '../../../../abi/state.js';
import type { MachinePlan } from '../../../../topology/plan.js';
import { h, s } from '../frame/dom.js';
import { layOutTopology, type LaidBox, type LaidRegion, type TopologyLayout } from './topology-layout.js';

const COLUMN = 88;
const ROW = 48;
const GAP = 8;
/** heights of boxes with one line of text, and with two */
const LOW = 24;
const HIGH = 36;
const MARGIN = 4;
/** A narrow machine is not blown up to the width of its place. */
const LEAST_COLUMNS = 4;

/** The machine as a picture: windows over bridges, ports, switches and devices; below them the state's regions. */
export function drawTopology(machine: MachinePlan, state: State | undefined): HTMLElement {
  const layout = layOutTopology(machine, state);
  if (layout.boxes.length === 0) return h('p', { class: 'quiet' }, 'A machine without CXL.');
  const columns = Math.max(layout.columns, LEAST_COLUMNS);
  const left = ((columns - layout.columns) / 2) * COLUMN;
  const width = columns * COLUMN + 2 * MARGIN;
  const height = layout.rows * ROW + 2 * MARGIN;
  return h(
    'div',
    { class: 'topology' },
    s(
      'svg',
      {
        viewBox: `0 0 ${width} ${height}`,
        role: 'img',
        'aria-label': describe(layout),
        style: { '--natural-width': `${width}px`, '--least-width': `${Math.round(width * 0.7)}px` },
      },
      s(
        'g',
        { transform: `translate(${MARGIN + left} ${MARGIN})` },
        ...layout.wires.map(({ from, to }) => drawWire(layout, from, to)),
        ...layout.boxes.map(drawBox),
        ...layout.regions.map((region) => drawRegion(region, layout.columns)),
      ),
    ),
  );
}

function drawBox(box: LaidBox): SVGElement {
  const { x, y, width, height } = frame(box);
  const detail = box.details.join(' + ');
  const middle = x + width / 2;
  return s(
    'g',
    { class: `box ${box.kind}` },
    s('title', {}, box.hint),
    s('rect', { x, y, width, height, rx: box.kind === 'port' ? LOW / 2 : 4 }),
    s('text', { x: middle, y: y + 16, class: 'name' }, clip(box.title, width, 7)),
    detail === '' ? undefined : s('text', { x: middle, y: y + 29, class: 'detail' }, clip(detail, width, 6)),
  );
}

function drawWire(layout: TopologyLayout, from: string, to: string): SVGElement | undefined {
  const upper = layout.boxes.find(({ id }) => id === from);
  const lower = layout.boxes.find(({ id }) => id === to);
  if (!upper || !lower) return undefined;
  const a = frame(upper);
  const b = frame(lower);
  const x = b.x + b.width / 2;
  // straight down from within the box above where that is possible, so that wide boxes look like buses
  const start = Math.min(Math.max(x, a.x + 6), a.x + a.width - 6);
  return s('path', { class: 'wire', d: `M${start} ${a.y + a.height}L${x} ${b.y}` });
}

function drawRegion(region: LaidRegion, columns: number): SVGElement {
  const known = region.columns.filter((column) => column !== undefined);
  const first = known.length > 0 ? Math.min(...known) : 0;
  const last = known.length > 0 ? Math.max(...known) : columns - 1;
  const y = region.row * ROW;
  // a long name runs out to where there is room
  const toTheLeft = first > columns / 2;
  const textX = toTheLeft ? (last + 1) * COLUMN - GAP / 2 - 2 : first * COLUMN + GAP / 2 + 2;
  return s(
    'g',
    { class: region.committed ? 'region committed' : 'region' },
    s('title', {}, region.text),
    s('text', { x: textX, y: y + 12, class: toTheLeft ? 'name end' : 'name' }, region.text),
    s('rect', {
      x: first * COLUMN + GAP / 2,
      y: y + 17,
      width: (last - first + 1) * COLUMN - GAP,
      height: 18,
      rx: 9,
    }),
    ...region.columns.map((column, position) =>
      column === undefined
        ? undefined
        : s(
            'g',
            {},
            s('circle', { cx: (column + 0.5) * COLUMN, cy: y + 26, r: 8 }),
            s('text', { x: (column + 0.5) * COLUMN, y: y + 30, class: 'position' }, position),
          ),
    ),
  );
}

function frame({ column, span, row, kind, details }: LaidBox): {
  x: number;
  y: number;
  width: number;
  height: number;
} {
  const height = details.length > 0 ? HIGH : LOW;
  const inset = kind === 'port' ? 16 : GAP / 2;
  const full = span * COLUMN;
  // a port of a switch is as narrow as any port, in the middle over what is below it
  const width = kind === 'port' ? COLUMN - 2 * inset : full - 2 * inset;
  return { x: column * COLUMN + (full - width) / 2, y: row * ROW, width, height };
}

/** Cuts text to a box; the whole of it is in the tooltip. */
function clip(text: string, width: number, characterWidth: number): string {
  const most = Math.floor((width - 4) / characterWidth);
  return text.length <= most ? text : `${text.slice(0, Math.max(most - 1, 1))}…`;
}

function describe({ boxes, regions }: TopologyLayout): string {
  return [...boxes.map(({ hint }) => hint), ...regions.map(({ text }) => text)].join('; ');
}
