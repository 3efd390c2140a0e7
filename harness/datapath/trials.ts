import {
  CAPACITY_UNIT,
  INTERLEAVE_WAYS,
  type MachinePlan,
  type PlannedDevice,
  type PlannedWindow,
} from '../topology/index.js';

export type RegionMode = 'ram' | 'pmem';

/** A region by which the data path is tried. Sizes in bytes. */
export interface RegionTrial {
  readonly window: PlannedWindow;
  readonly mode: RegionMode;
  /** in interleave order */
  readonly devices: readonly PlannedDevice[];
  readonly granularity: number;
  readonly size: number;
}

const LARGEST_GRANULARITY = 16_384;
const CHOSEN_BY = 2 ** 15;
const POWERS = [1, 2, 4, 8];

/**
 * The regions that together use every window, every device below one, and every width that the machine's ports and
 * switches allow. They are to be made one after the other.
 */
export function regionTrials(plan: MachinePlan): RegionTrial[] {
  return plan.windows.flatMap((window) =>
    (['ram', 'pmem'] as const).flatMap((mode) => {
      const bridges = window.targets.map((bridge) => byRootPort(plan, bridge, mode));
      const trials = [...oneDeviceABridge(bridges), ...wider(bridges)];
      return trials.flatMap((chosen) => regionOf(plan, window, mode, chosen) ?? []);
    }),
  );
}

export function capacityOf(device: PlannedDevice, mode: RegionMode): number {
  return mode === 'ram' ? device.volatileBytes : device.persistentBytes;
}

/** As many as it takes until each device was in one. */
function oneDeviceABridge(bridges: readonly PlannedDevice[][][]): Chosen[] {
  const all = bridges.map((groups) => groups.flat());
  if (all.some(({ length }) => length === 0)) return [];
  const rounds = Math.max(...all.map(({ length }) => length));
  return Array.from({ length: rounds }, (_, round) => ({
    devices: all.flatMap((devices) => devices[round % devices.length] ?? []),
    ports: 1,
  }));
}

/** Host bridges and switches route in powers of 2, 8 ways at most in a row of them. */
function wider(bridges: readonly PlannedDevice[][][]): Chosen[] {
  return POWERS.flatMap((ports) =>
    POWERS.flatMap((below) => {
      if (ports * below === 1 || ports * below > 8) return [];
      const chosen = bridges.map((groups) => groups.filter(({ length }) => length >= below).slice(0, ports));
      if (chosen.some(({ length }) => length < ports)) return [];
      const devices = Array.from({ length: below }, (_, nth) =>
        Array.from({ length: ports }, (__, port) => chosen.flatMap((groups) => groups[port]?.[nth] ?? [])),
      );
      return { devices: devices.flat(2), ports };
    }),
  );
}

interface Chosen {
  /** in interleave order */
  readonly devices: readonly PlannedDevice[];
  /** root ports of each bridge that it uses */
  readonly ports: number;
}

/** @returns undefined: the kernel can't program it, or the window has no room for it */
function regionOf(
  plan: MachinePlan,
  window: PlannedWindow,
  mode: RegionMode,
  { devices, ports }: Chosen,
): RegionTrial | undefined {
  const switched = plan.ports.some(
    ({ id, switch: above }) => above && devices.some(({ port }) => port === id),
  );
  const granularity = granularityOf(window, devices.length, switched ? ports : 1);
  if (!INTERLEAVE_WAYS.includes(devices.length) || granularity === undefined) return undefined;
  const most = Math.min(...devices.map((one) => capacityOf(one, mode)), window.sizeBytes / devices.length);
  const size = Math.floor(most / CAPACITY_UNIT) * CAPACITY_UNIT * devices.length;
  return size === 0 ? undefined : { window, mode, devices, granularity, size };
}

/**
 * Over several bridges it is the window's. The kernel multiplies it by the targets of each level for the level below, be
 * that a single port, up to the largest that CXL can say (drivers/cxl/core/region.c:cxl_port_setup_targets()); and
 * together with the ways it must fit into the address bits that a decoder can choose by, 8 to 14 (CXL 3.1 8.2.4.20.1;
 * check_interleave_cap() there).
 */
function granularityOf(
  { targets, granularity }: PlannedWindow,
  ways: number,
  portsAboveSwitch: number,
): number | undefined {
  const bits = (count: number): number => (count % 3 === 0 ? count / 3 : count);
  const lowest = LARGEST_GRANULARITY / (bits(targets.length) * portsAboveSwitch);
  const largest = Math.min(lowest, CHOSEN_BY / bits(ways));
  if (targets.length > 1) return granularity <= largest ? granularity : undefined;
  return Math.min(granularity, largest);
}

/** Devices with capacity of the mode, grouped by the root port that they are below, in order of the ports. */
function byRootPort(
  { ports, switches, devices }: MachinePlan,
  bridge: string,
  mode: RegionMode,
): PlannedDevice[][] {
  const groups = new Map<string, PlannedDevice[]>();
  for (const port of ports) {
    const device = devices.find((one) => one.port === port.id);
    if (port.hostBridge !== bridge || !device || capacityOf(device, mode) === 0) continue;
    const root = switches.find(({ id }) => id === port.switch)?.port ?? port.id;
    groups.set(root, [...(groups.get(root) ?? []), device]);
  }
  return [...groups.values()];
}
