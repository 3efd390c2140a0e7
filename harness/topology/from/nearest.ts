import { formatSize } from '../../base/size.js';
import { CAPACITY_UNIT } from '../emulator-limits.js';
import { INTERLEAVE_GRANULARITIES } from '../language.js';
import type { NearestDevice, NearestTopology } from './nearest-topology.js';
import type { Observed, ObservedMemdev, ObservedRegion, ObservedWindow } from './observed.js';
import { placesOf } from './places.js';

/** The nearest machine that QEMU can be to one that was observed, and what each thing is called on both. */
export interface Nearest {
  readonly topology: NearestTopology;
  readonly regions: readonly NearestRegion[];
  /** what it does not have of the machine observed, and what was guessed */
  readonly notes: readonly string[];
}

/** A region of the report on the nearest machine. */
export interface NearestRegion {
  readonly observed: ObservedRegion;
  readonly window: string;
  readonly targets: readonly string[];
  /** bytes of the whole region */
  readonly size: number;
  readonly granularity?: number;
}

/** All devices together; QEMU takes host memory for what the guest writes only. */
const MOST_CAPACITY = 8 * 2 ** 30;
/** All windows together: a topology may have 512G (rules.ts), and nobody needs it. */
const MOST_WINDOWS = 256 * 2 ** 30;

/** @param observed with at least one memdev */
export function nearestTopology(observed: Observed): Nearest {
  const notes = [...new Set(observed.notes)];
  const { bridges, switches, portOf, bridgeOf, bridgeId } = placesOf(observed, notes);
  const scale = scaleFor(observed, notes);
  const devices = observed.memdevs.map((memdev, n) => device(memdev, n, portOf, scale, notes));
  const windows = windowsOf(observed, bridges, bridgeId, scale, notes);
  const idOf = new Map(devices.map(({ id, observed: { name } }) => [name, id]));
  const regions = [...observed.regions]
    .sort((a, b) => (a.start ?? 0) - (b.start ?? 0))
    .flatMap((region) => regionOf(region, { devices, windows, idOf, bridgeOf, scale, notes }));
  const { topologyWindows } = roomFor(windows, regions);
  return { topology: { bridges, switches, devices, windows: topologyWindows }, regions, notes };
}

interface Window {
  readonly id: string;
  readonly observed?: ObservedWindow;
  readonly targets: readonly string[];
  /** bytes */
  readonly size: number;
  readonly granularity?: number;
}

/** By what power of two sizes are divided, so that the whole fits a guest; 1 where it fits as it is. */
function scaleFor({ memdevs, windows }: Observed, notes: string[]): number {
  const capacity = (scale: number): number =>
    memdevs.reduce((sum, m) => sum + scaled(m.volatile ?? 0, scale) + scaled(m.persistent ?? 0, scale), 0);
  const room = (scale: number): number =>
    windows.reduce((sum, { size, targets }) => sum + scaled(size, scale, targets.length || 1), 0);
  let scale = 1;
  while (
    scale < 2 ** 30 &&
    (capacity(scale) > Math.max(MOST_CAPACITY, memdevs.length * CAPACITY_UNIT * 2) ||
      room(scale) > MOST_WINDOWS)
  )
    scale *= 2;
  if (scale > 1) notes.push(`all sizes are divided by ${scale}, to multiples of 256M`);
  return scale;
}

/** A size divided, up to what QEMU can be: 256M for each target or device that shares it. */
function scaled(bytes: number, scale: number, sharers = 1): number {
  const unit = CAPACITY_UNIT * sharers;
  return Math.ceil(bytes / scale / unit) * unit;
}

function device(
  memdev: ObservedMemdev,
  n: number,
  portOf: ReadonlyMap<ObservedMemdev, string>,
  scale: number,
  notes: string[],
): NearestDevice {
  const { name, volatile, persistent, serial } = memdev;
  const id = /^mem\d+$/.test(name) ? name : `mem${n}`;
  if (volatile === undefined && persistent === undefined)
    notes.push(`the report does not say how much memory ${name} has: 256M, volatile`);
  const known = volatile ?? (persistent === undefined ? CAPACITY_UNIT : undefined);
  // ids of real devices are 64 bits wide and many are 0; QEMU's numbers in order do as well
  const usable = serial !== undefined && serial > 0 && Number.isSafeInteger(serial);
  return {
    id,
    port: portOf.get(memdev) ?? '',
    ...(known !== undefined && { volatile: formatSize(scaled(known, scale)) }),
    ...(persistent !== undefined && { persistent: formatSize(scaled(persistent, scale)), labels: '1M' }),
    ...(usable && { serial }),
    observed: memdev,
  };
}

function windowsOf(
  { windows }: Observed,
  bridges: NearestTopology['bridges'],
  bridgeId: (name: string) => string | undefined,
  scale: number,
  notes: string[],
): Window[] {
  if (windows.length === 0) {
    notes.push('the report shows no window: one of 4G over each bridge');
    return bridges.map(({ id }, n) => ({ id: `window${n}`, targets: [id], size: 4 * 2 ** 30 }));
  }
  return [...windows].sort(byNumber).flatMap((observed, n): Window[] => {
    const targets = observed.targets.flatMap((target) => bridgeId(target) ?? []);
    const { granularity } = observed;
    if (observed.targets.length > 0 && targets.length < observed.targets.length) {
      notes.push(`${observed.name} has targets without devices: left out`);
      return [];
    }
    if (targets.length === 0) {
      notes.push(`the report does not say which bridges ${observed.name} reaches: the first`);
      targets.push(bridges[0]?.id ?? '');
    }
    const fits = granularity !== undefined && INTERLEAVE_GRANULARITIES.some((one) => one === granularity);
    return [
      {
        id: `window${n}`,
        observed,
        targets,
        size: scaled(observed.size, scale, targets.length),
        ...(fits && granularity !== 256 && { granularity }),
      },
    ];
  });
}

function byNumber(a: ObservedWindow, b: ObservedWindow): number {
  const number = ({ name }: ObservedWindow): number => Number(/\d+$/.exec(name)?.[0] ?? 0);
  return number(a) - number(b);
}

interface RegionContext {
  readonly devices: readonly NearestDevice[];
  readonly windows: readonly Window[];
  readonly idOf: ReadonlyMap<string, string>;
  readonly bridgeOf: ReadonlyMap<ObservedMemdev, string>;
  readonly scale: number;
  readonly notes: string[];
}

function regionOf(region: ObservedRegion, context: RegionContext): NearestRegion[] {
  const { windows, idOf, notes, scale } = context;
  const window = windowOf(region, windows);
  if (!window) {
    notes.push(`${region.name} lies in no window that is left: left out`);
    return [];
  }
  const known = region.targets.flatMap((name) => idOf.get(name) ?? []);
  const targets =
    known.length > 0 && known.length === region.targets.length
      ? known
      : guessTargets(region, window, context);
  if (targets.length === 0) return [];
  const share = region.size === undefined ? CAPACITY_UNIT : scaled(region.size / targets.length, scale);
  return [
    {
      observed: region,
      window: window.id,
      targets,
      size: share * targets.length,
      ...(region.granularity !== undefined && { granularity: region.granularity }),
    },
  ];
}

function windowOf({ window, start }: ObservedRegion, windows: readonly Window[]): Window | undefined {
  if (window !== undefined) return windows.find(({ observed }) => observed?.name === window);
  const around = windows.find(
    ({ observed: seen }) =>
      start !== undefined &&
      seen?.start !== undefined &&
      seen.start <= start &&
      start < seen.start + seen.size,
  );
  return around ?? windows[0];
}

/** The first devices that the window reaches, by turns over its bridges, as interleave wants it. */
function guessTargets(region: ObservedRegion, window: Window, context: RegionContext): string[] {
  const { devices, bridgeOf, notes } = context;
  const below = window.targets.map((bridge) =>
    devices.filter(
      (one) =>
        bridgeOf.get(one.observed) === bridge &&
        (region.mode === 'pmem' ? one.persistent : one.volatile) !== undefined,
    ),
  );
  const turns = below
    .flatMap((list) => list.map((one, turn) => ({ one, turn })))
    .sort((a, b) => a.turn - b.turn);
  const ways = region.ways ?? 1;
  const targets = turns.slice(0, ways).map(({ one }) => one.id);
  if (targets.length < ways) {
    notes.push(
      `${region.name} needs ${ways} devices below ${window.id}, there are ${targets.length}: left out`,
    );
    return [];
  }
  notes.push(`the report does not say which devices ${region.name} is made of: ${targets.join(', ')}`);
  return targets;
}

/** Sizes rounded up may ask for more than a window divided has. */
function roomFor(
  windows: readonly Window[],
  regions: readonly NearestRegion[],
): { readonly topologyWindows: NearestTopology['windows'] } {
  return {
    topologyWindows: windows.map(({ id, targets, size, granularity }) => {
      const asked = regions.filter(({ window }) => window === id).reduce((sum, one) => sum + one.size, 0);
      const enough = Math.max(size, scaled(asked, 1, targets.length));
      return { id, targets, size: formatSize(enough), ...(granularity !== undefined && { granularity }) };
    }),
  };
}
