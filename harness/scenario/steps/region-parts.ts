import type { MachinePlan } from '../../topology/plan.js';
import type { Region, State } from '../../abi/index.js';
import { blocksWithin } from './select.js';

/** A region that a step made: what `${r}` and `${r.dax}` stand for. */
export interface RegionCapture {
  readonly kind: 'region';
  readonly name: string;
  /** endpoint decoders that were chosen for it, in interleave order; empty when the region was made by a tool */
  readonly decoders: readonly string[];
  /** the step that captured it makes it: no region that was there before is meant */
  readonly isNew?: boolean;
  /** as it was when it was last there */
  readonly lastSeen?: Region;
  /** it is not there any more; the kernel may have given its name to another */
  readonly isGone?: boolean;
}

/**
 * What has become of a captured region, as a new state shows it. A region that comes back with the same memory on the same
 * targets (its driver's module was reloaded) is the same; another one of its name is not.
 */
export function follow(region: RegionCapture, state: State): RegionCapture {
  const now = state.regions[region.name];
  const { lastSeen } = region;
  if (!now) return lastSeen ? { ...region, isGone: true } : region;
  if (region.isGone && !(lastSeen && isSame(lastSeen, now))) return region;
  return { ...region, lastSeen: now, isGone: false };
}

function isSame(one: Region, other: Region): boolean {
  return one.start === other.start && one.size === other.size && one.targets.join() === other.targets.join();
}

interface RegionPart {
  /** as it is written after the dot; `N` stands for a number from 0 */
  readonly name: string;
  readonly description: string;
  find(region: RegionCapture, state: State, index: number): string | number | undefined;
}

/** What can be asked of a captured region: `${r.dax}`, `${r.block0}`. The one list of these names. */
export const regionParts: readonly RegionPart[] = [
  {
    name: 'dax',
    description: 'its dax device: dax0.0',
    find: ({ name }, state) => daxDevicesOf(name, state)[0]?.[0],
  },
  {
    name: 'daxN',
    description: 'its nth dax device',
    find: ({ name }, state, index) => daxDevicesOf(name, state)[index]?.[0],
  },
  {
    name: 'node',
    description: 'the NUMA node of its memory',
    find: ({ name }, state) =>
      blocksOf(name, state)[0]?.[1].node ?? daxDevicesOf(name, state)[0]?.[1].targetNode,
  },
  {
    name: 'blockN',
    description: 'the number of its nth memory block',
    find: ({ name }, state, index) => blocksOf(name, state)[index]?.[0],
  },
  {
    name: 'edN',
    description: 'the endpoint decoder of its nth target',
    find: (region, state, index) => state.regions[region.name]?.targets[index] ?? region.decoders[index],
  },
  {
    name: 'memN',
    description: 'the memdev of its nth target',
    find: (region, state, index) => {
      const decoder = state.regions[region.name]?.targets[index] ?? region.decoders[index];
      return decoder === undefined ? undefined : state.decoders[decoder]?.memdev;
    },
  },
  {
    name: 'decoder',
    description: 'its root decoder: decoder0.0',
    find: ({ name }, state) => state.regions[name]?.rootDecoder,
  },
  {
    name: 'start',
    description: 'its first address, hexadecimal',
    find: ({ name }, state) => {
      const region = state.regions[name];
      return region && region.size > 0 ? `0x${region.start.toString(16)}` : undefined;
    },
  },
  {
    name: 'size',
    description: 'its size in bytes',
    find: ({ name }, state) => state.regions[name]?.size,
  },
  {
    name: 'nd-region',
    description: 'the region that libnvdimm made of it',
    find: ({ name }, state) => state.regions[name] && ndRegionOf(name, state),
  },
  {
    name: 'namespace',
    description: 'its namespace: namespace0.0',
    find: ({ name }, state) => Object.entries(state.namespaces).find(([, one]) => one.region === name)?.[0],
  },
];

/** Whether `${r.<part>}` can ever have a value. */
export function isRegionPart(part: string): boolean {
  return partOf(part) !== undefined;
}

export function findRegionPart(
  region: RegionCapture,
  part: string,
  state: State,
): string | number | undefined {
  const found = partOf(part);
  return found?.part.find(region, region.isGone ? withoutRegions(state) : state, found.index);
}

/** Of what is gone only that is left which was fixed from the beginning. */
function withoutRegions(state: State): State {
  return { ...state, regions: {}, daxDevices: {}, ndRegions: {}, namespaces: {} };
}

/** Parts of a region that has as many targets as the plan has devices: what is remembered when the region goes. */
export function knownParts({ devices }: MachinePlan, blocks: number): string[] {
  const counts: Readonly<Record<string, number>> = {
    daxN: 4,
    blockN: blocks,
    edN: devices.length,
    memN: devices.length,
  };
  return regionParts.flatMap(({ name }) => {
    const count = counts[name];
    if (count === undefined) return [name];
    return Array.from({ length: count }, (_, index) => name.replace(/N$/, `${index}`));
  });
}

function partOf(part: string): { part: RegionPart; index: number } | undefined {
  const plain = regionParts.find(({ name }) => name === part && !name.endsWith('N'));
  if (plain) return { part: plain, index: 0 };
  const [, stem, digits] = /^([a-z-]+)(\d{1,4})$/.exec(part) ?? [];
  const numbered = regionParts.find(({ name }) => name === `${stem ?? ''}N`);
  return numbered && { part: numbered, index: Number(digits) };
}

function daxDevicesOf(region: string, state: State) {
  return Object.entries(state.daxDevices).filter(([, device]) => device.region === region);
}

function blocksOf(region: string, state: State) {
  const range = state.regions[region];
  return range && range.size > 0 ? blocksWithin(range, state) : [];
}

function ndRegionOf(region: string, state: State): string | undefined {
  return Object.entries(state.ndRegions).find(([, one]) => one.region === region)?.[0];
}
