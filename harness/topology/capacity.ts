import { formatSize } from '../base/size.js';
import { CAPACITY_UNIT } from './emulator-limits.js';

/** Capacity as a device of a topology, or one to hot-add, states it. */
export interface Capacity {
  readonly volatile?: number | undefined;
  readonly persistent?: number | undefined;
  readonly labels?: number | undefined;
  readonly dynamic?: { readonly size: number; readonly regions: number } | undefined;
}

export interface CapacityFault {
  /** the key it is about; empty: the device as a whole */
  readonly key: readonly string[];
  readonly message: string;
  readonly hint?: string;
}

/** drivers/nvdimm/label.h: ND_LABEL_MIN_SIZE */
const MIN_LABELS = 128 * 2 ** 10;
const MAX_LABELS = 64 * 2 ** 20;
const PAGE = 4096;

export function capacityFaults(device: Capacity): CapacityFault[] {
  const { volatile, persistent, labels, dynamic } = device;
  const faults: CapacityFault[] = [];
  for (const [key, size] of Object.entries({ volatile, persistent })) {
    if (size !== undefined && size % CAPACITY_UNIT !== 0)
      faults.push(notAMultiple([key], size, CAPACITY_UNIT));
  }
  if (dynamic && dynamic.size % (dynamic.regions * CAPACITY_UNIT) !== 0) {
    faults.push(notAMultiple(['dynamic', 'size'], dynamic.size, dynamic.regions * CAPACITY_UNIT));
  }
  if (persistent !== undefined && labels === undefined) {
    faults.push({
      key: ['persistent'],
      message: 'persistent capacity needs label storage',
      hint: 'add `labels: 1M`',
    });
  }
  if (labels !== undefined && persistent === undefined) {
    faults.push({ key: ['labels'], message: 'labels without persistent capacity', hint: 'add `persistent`' });
  }
  if (labels !== undefined && (labels < MIN_LABELS || labels > MAX_LABELS || labels % PAGE !== 0)) {
    faults.push({
      key: ['labels'],
      message: `label storage must be ${formatSize(MIN_LABELS)} to ${formatSize(MAX_LABELS)}, a multiple of 4K`,
    });
  }
  if (volatile === undefined && persistent === undefined && dynamic === undefined) {
    faults.push({ key: [], message: 'a device needs capacity', hint: 'add `volatile: 512M`' });
  }
  return faults;
}

/** The sizes on both sides of one that is no multiple. */
export function nearestMultiples(size: number, unit: number): string {
  const below = Math.floor(size / unit) * unit;
  const above = formatSize(below + unit);
  return below === 0 ? `${above} would do` : `${formatSize(below)} or ${above} would do`;
}

function notAMultiple(key: readonly string[], size: number, unit: number): CapacityFault {
  return {
    key,
    message: `${formatSize(size)} is no multiple of ${formatSize(unit)}`,
    hint: nearestMultiples(size, unit),
  };
}
