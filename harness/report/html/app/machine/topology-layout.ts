import type { State } from '../../../../abi/state.js';
import type { MachinePlan, PlannedDevice, PlannedPort, PlannedWindow } from '../../../../topology/plan.js';
import { bytes } from '../frame/text.js';

/** The machine laid out as a tree, top down; one column a leaf. Positions count columns and rows, not pixels. */
export interface TopologyLayout {
  readonly columns: number;
  readonly rows: number;
  readonly boxes: readonly LaidBox[];
  readonly wires: readonly { readonly from: string; readonly to: string }[];
  readonly regions: readonly LaidRegion[];
}

export interface LaidBox {
  readonly id: string;
  readonly kind: 'window' | 'bridge' | 'port' | 'switch' | 'device' | 'empty';
  readonly title: string;
  readonly details: readonly string[];
  /** leftmost column and how many */
  readonly column: number;
  readonly span: number;
  readonly row: number;
  /** text for a tooltip */
  readonly hint: string;
}

/** A region as a bar below the devices it interleaves over. */
export interface LaidRegion {
  readonly name: string;
  readonly text: string;
  readonly row: number;
  readonly committed: boolean;
  /** interleave position -> column of the device; undefined: no target set, or a device that is not in the plan */
  readonly columns: readonly (number | undefined)[];
}

interface Placed {
  readonly boxes: LaidBox[];
  readonly wires: { from: string; to: string }[];
  readonly span: number;
  readonly depth: number;
}

/** @param state draws the regions of that state; without it only the machine */
export function layOutTopology(machine: MachinePlan, state: State | undefined): TopologyLayout {
  const windowRows = packWindows(machine);
  const firstRow = Math.max(-1, ...windowRows) + 1;
  const boxes: LaidBox[] = [];
  const wires: { from: string; to: string }[] = [];
  const bridges = new Map<string, { column: number; span: number }>();
  let column = 0;
  let rows = firstRow;
  for (const { id } of machine.hostBridges) {
    const roots = machine.ports.filter((port) => port.hostBridge === id && port.switch === undefined);
    const below = placeAll(
      roots.map((port) => placePort(port, machine, state)),
      column,
      firstRow + 1,
    );
    const span = Math.max(below.span, 1);
    boxes.push(
      { id, kind: 'bridge', title: id, details: [], column, span, row: firstRow, hint: `host bridge ${id}` },
      ...below.boxes,
    );
    wires.push(...below.wires, ...roots.map((port) => ({ from: id, to: port.id })));
    bridges.set(id, { column, span });
    column += span;
    rows = Math.max(rows, firstRow + 1 + below.depth);
  }
  boxes.push(
    ...machine.windows.flatMap((window, index) => windowBoxes(window, windowRows[index] ?? 0, bridges)),
  );
  const regions = state ? layOutRegions(machine, state, boxes, rows) : [];
  return { columns: Math.max(column, 1), rows: rows + regions.length, boxes, wires, regions };
}

function placePort(port: PlannedPort, machine: MachinePlan, state: State | undefined): (at: At) => Placed {
  return ({ column, row }) => {
    const device = machine.devices.find((one) => one.port === port.id);
    const plugged = machine.switches.find((one) => one.port === port.id);
    const base = { column, row, id: port.id, kind: 'port' as const, title: port.id, details: [] };
    const hint = `${port.switch === undefined ? 'root port' : `port of ${port.switch}`} ${port.id}, slot ${port.slot}`;
    if (device) {
      const box = deviceBox(device, state, column, row + 1);
      return {
        boxes: [{ ...base, span: 1, hint }, box],
        wires: [{ from: port.id, to: box.id }],
        span: 1,
        depth: 2,
      };
    }
    if (plugged) {
      const { id } = plugged;
      const downstream = machine.ports.filter((one) => one.switch === id);
      const below = placeAll(
        downstream.map((one) => placePort(one, machine, state)),
        column,
        row + 2,
      );
      const span = Math.max(below.span, 1);
      return {
        boxes: [
          { ...base, span, hint },
          { id, kind: 'switch', title: id, details: [], column, span, row: row + 1, hint: `switch ${id}` },
          ...below.boxes,
        ],
        wires: [
          { from: port.id, to: id },
          ...downstream.map((one) => ({ from: id, to: one.id })),
          ...below.wires,
        ],
        span,
        depth: below.depth + 2,
      };
    }
    return {
      boxes: [
        { ...base, span: 1, hint },
        {
          id: `${port.id}/empty`,
          kind: 'empty',
          title: 'free',
          details: [],
          column,
          span: 1,
          row: row + 1,
          hint: `nothing is plugged into ${port.id} at boot`,
        },
      ],
      wires: [{ from: port.id, to: `${port.id}/empty` }],
      span: 1,
      depth: 2,
    };
  };
}

interface At {
  readonly column: number;
  readonly row: number;
}

function placeAll(places: readonly ((at: At) => Placed)[], column: number, row: number): Placed {
  let next = column;
  const placed = places.map((place) => {
    const one = place({ column: next, row });
    next += one.span;
    return one;
  });
  return {
    boxes: placed.flatMap(({ boxes }) => boxes),
    wires: placed.flatMap(({ wires }) => wires),
    span: next - column,
    depth: Math.max(0, ...placed.map(({ depth }) => depth)),
  };
}

/** A row for each window: those over different bridges share one. */
function packWindows({ windows }: MachinePlan): number[] {
  const rows: Set<string>[] = [];
  return windows.map(({ targets }) => {
    const free = rows.findIndex((taken) => !targets.some((target) => taken.has(target)));
    const row = free < 0 ? rows.push(new Set()) - 1 : free;
    for (const target of targets) rows[row]?.add(target);
    return row;
  });
}

/** A window is drawn once over each bridge that it interleaves over, with the position in the interleave. */
function windowBoxes(
  window: PlannedWindow,
  row: number,
  bridges: ReadonlyMap<string, { readonly column: number; readonly span: number }>,
): LaidBox[] {
  const { id, index, sizeBytes, granularity, targets } = window;
  const interleave =
    targets.length > 1 ? `, interleaved over ${targets.join(', ')} at ${granularity} bytes` : '';
  return targets.flatMap((target, position): LaidBox[] => {
    const bridge = bridges.get(target);
    if (!bridge) return [];
    return [
      {
        id: `${id}/${position}`,
        kind: 'window',
        title: id,
        details: [targets.length > 1 ? `${bytes(sizeBytes)}, way ${position}` : bytes(sizeBytes)],
        ...bridge,
        row,
        hint: `${id} (decoder0.${index}): ${bytes(sizeBytes)}${interleave}`,
      },
    ];
  });
}

function deviceBox(device: PlannedDevice, state: State | undefined, column: number, row: number): LaidBox {
  const { id, serial, volatileBytes, persistentBytes, labelBytes, dynamic } = device;
  const capacity = [
    volatileBytes > 0 ? `${bytes(volatileBytes)} ram` : undefined,
    persistentBytes > 0 ? `${bytes(persistentBytes)} pmem` : undefined,
    dynamic ? `${bytes(dynamic.bytes)} dynamic` : undefined,
  ].filter((text) => text !== undefined);
  const memdev = state && memdevOf(state, serial);
  const gone = state !== undefined && memdev === undefined;
  return {
    id,
    kind: gone ? 'empty' : 'device',
    title: id,
    details: [...capacity, ...(gone ? ['no memdev'] : [])],
    column,
    span: 1,
    row,
    hint: [
      `type-3 device ${id}, serial ${serial}`,
      ...capacity,
      labelBytes > 0 ? `${bytes(labelBytes)} labels` : undefined,
      memdev === undefined ? undefined : `the guest calls it ${memdev}`,
    ]
      .filter((text) => text !== undefined)
      .join('\n'),
  };
}

function memdevOf(state: State, serial: number): string | undefined {
  return Object.entries(state.memdevs).find(([, memdev]) => memdev.serial === serial)?.[0];
}

function layOutRegions(
  machine: MachinePlan,
  state: State,
  boxes: readonly LaidBox[],
  firstRow: number,
): LaidRegion[] {
  const columnOf = (decoder: string | null): number | undefined => {
    const memdev = decoder === null ? undefined : state.decoders[decoder]?.memdev;
    const serial = memdev === undefined ? undefined : state.memdevs[memdev]?.serial;
    const device = machine.devices.find((one) => one.serial === serial);
    return boxes.find(({ id }) => id === device?.id)?.column;
  };
  return Object.entries(state.regions).map(([name, region], index) => ({
    name,
    text: [
      name,
      bytes(region.size),
      region.interleaveWays > 1 ? `x${region.interleaveWays} at ${region.interleaveGranularity}` : '',
      region.committed ? (region.driver ?? 'committed, no driver') : 'not committed',
    ]
      .filter((part) => part !== '')
      .join(' · '),
    row: firstRow + index,
    committed: region.committed,
    columns: region.targets.map(columnOf),
  }));
}
