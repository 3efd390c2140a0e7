import type { PlannedDevice } from '../topology/index.js';
import type { RegionTrial } from './trials.js';

/** A place in a region where a pattern is written, and where it is to arrive. */
export interface Place {
  /** from the region's begin */
  readonly offset: number;
  readonly device: PlannedDevice;
  /** from the begin of what the device gives to the region */
  readonly deviceOffset: number;
}

/** A cache line. */
export const PATTERN_BYTES = 64;

/**
 * First and last line of granules at the region's begin, middle and end, so that each device is met at each of them.
 * @param start the region's address: who has a granule is decided by its address, not by its place in the region
 */
export function placesOf(trial: RegionTrial, start: number): Place[] {
  const { devices, granularity, size } = trial;
  const ways = devices.length;
  const rows = size / (ways * granularity);
  const chosen = [...new Set([0, 1, rows / 2, rows - 1])];
  return chosen.flatMap((row) =>
    devices.flatMap((_, column) =>
      [0, granularity - PATTERN_BYTES].flatMap((within) => {
        const offset = (row * ways + column) * granularity + within;
        const device = deviceAt(trial, Math.floor((start + offset) / granularity));
        return device ? { offset, device, deviceOffset: row * granularity + within } : [];
      }),
    ),
  );
}

/**
 * Whose the nth granule of all addresses is. The window chooses the bridge, modulo its targets; below, powers of 2 are
 * chosen by address bits, of which three, six and twelve targets take one less than they seem to (CXL 3.1 9.18.1.3).
 */
function deviceAt({ window, devices }: RegionTrial, granule: number): PlannedDevice | undefined {
  const bridges = window.targets.length;
  const ofBridge = devices.length / bridges;
  const bits = bridges % 3 === 0 ? bridges / 3 : bridges;
  return devices[(Math.floor(granule / bits) % ofBridge) * bridges + (granule % bridges)];
}
