import { byName } from './readings.js';
import type { Namespace, NdRegion, State } from './state.js';

/**
 * The state under names that do not depend on the order in which things were probed or made: a memdev goes by its
 * serial number (`mem@1`), its endpoint and decoders by the memdev, a port by what it is the CXL side of, a region by
 * its targets and its place (`region@1,2`), a dax or pmem device by its region. So two states can be compared that
 * come from different boots, or whose regions were made by different tools.
 */
export function withNormalNames(state: State): State {
  const names = normalNames(state);
  const rename = renamer(names);
  // libnvdimm's regions are named like CXL's and numbered by themselves
  const renameNd = renamer(ndNames(state, names));
  const { ndRegions, namespaces, bindings, ...others } = state;
  return {
    ...(renamed(others, rename) as Omit<State, 'ndRegions' | 'namespaces' | 'bindings'>),
    ndRegions: keysRenamed(ndRegions, renameNd, (one) => renamed(one, rename) as NdRegion),
    namespaces: keysRenamed(namespaces, renameNd, (one) => ({
      ...(renamed(one, rename) as Namespace),
      ndRegion: renameNd(one.ndRegion),
    })),
    bindings: {
      cxl: renamed(bindings.cxl, rename) as State['bindings']['cxl'],
      dax: renamed(bindings.dax, rename) as State['bindings']['dax'],
      nd: keysRenamed(bindings.nd, renameNd, (driver) => driver),
    },
  };
}

/** The way back: the kernel's names of things in this state, from those that do not depend on numbering. */
export function kernelNames(state: State): (normal: string) => string {
  const names = normalNames(state);
  const back = new Map([...names, ...ndNames(state, names)].map(([name, normal]) => [normal, name]));
  // the longest first: a decoder's name holds its port's
  const normals = [...back.keys()].sort((a, b) => b.length - a.length);
  return (text) =>
    back.get(text) ??
    normals.reduce((told, normal) => told.replaceAll(normal, back.get(normal) ?? normal), text);
}

function renamer(names: ReadonlyMap<string, string>): (text: string) => string {
  return (text) => text.replace(NUMBERED, (name) => names.get(name) ?? name);
}

function keysRenamed<T>(
  things: Readonly<Record<string, T>>,
  rename: (name: string) => string,
  each: (thing: T) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(things).map(([name, thing]) => [rename(name), each(thing)]));
}

function ndNames(state: State, names: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [nd, { region }] of Object.entries(state.ndRegions)) {
    const suffix = region === undefined ? undefined : names.get(region)?.replace(/^region-/, '');
    if (suffix === undefined) continue;
    found.set(nd, `region-${suffix}`);
    const number = nd.replace('region', '');
    for (const device of Object.keys(state.bindings.nd)) {
      const [, kind, region, index] = /^(namespace|btt|pfn|dax)(\d+)\.(\d+)$/.exec(device) ?? [];
      if (kind !== undefined && region === number) found.set(device, `${kind}-${suffix}.${index ?? ''}`);
    }
  }
  return found;
}

/** Names with numbers that the kernel hands out. Of `dax0.0` the part before the dot is the region's number. */
const NUMBERED =
  /\b(?:mem\d+|endpoint\d+|port\d+|decoder\d+\.\d+|region\d+|extent\d+\.\d+|dax_region\d+|pmem_region\d+|dax\d+\.\d+|pmem\d+|nmem\d+|ndbus\d+|namespace\d+\.\d+|nvdimm-bridge\d+|btt\d+\.\d+|pfn\d+\.\d+)(?![\w.:@-])/g;

function normalNames(state: State): Map<string, string> {
  const names = new Map<string, string>();
  const serialOf = (memdev: string | undefined): string =>
    `${(memdev === undefined ? undefined : state.memdevs[memdev]?.serial) ?? '?'}`;
  for (const memdev of Object.keys(state.memdevs)) {
    names.set(memdev, `mem@${serialOf(memdev)}`);
    // the nvdimm on the cxl bus has the memdev's number
    const nvdimm = memdev.replace('mem', 'pmem');
    if (nvdimm in state.bindings.cxl) names.set(nvdimm, `nvdimm@${serialOf(memdev)}`);
  }
  for (const [port, { uport }] of Object.entries(state.ports)) {
    if (port.startsWith('root')) continue;
    names.set(port, uport in state.memdevs ? `endpoint@${serialOf(uport)}` : `port@${uport}`);
  }
  for (const [decoder, { port }] of Object.entries(state.decoders)) {
    const number = decoder.split('.')[1] ?? '';
    if (!port.startsWith('root')) names.set(decoder, `decoder@${names.get(port) ?? port}.${number}`);
  }
  const seen = new Map<string, number>();
  const regions = Object.entries(state.regions).sort(
    ([a, one], [b, other]) => one.start - other.start || byName(a, b),
  );
  for (const [region, { targets, mode }] of regions) {
    const serials = targets.map((target) =>
      serialOf(target === null ? undefined : state.decoders[target]?.memdev),
    );
    const key = `${mode ?? ''}@${serials.join(',')}`;
    const again = seen.get(key) ?? 0;
    seen.set(key, again + 1);
    const number = region.replace('region', '');
    const suffix = `${key}${again === 0 ? '' : `#${again}`}`;
    names.set(region, `region-${suffix}`);
    names.set(`dax_region${number}`, `dax_region-${suffix}`);
    names.set(`pmem_region${number}`, `pmem_region-${suffix}`);
    for (const [dax, device] of Object.entries(state.daxDevices)) {
      if (device.region === region) names.set(dax, `dax-${suffix}.${dax.split('.')[1] ?? ''}`);
    }
    for (const [extent, { region: owner, offset }] of Object.entries(state.extents ?? {})) {
      if (owner === region) names.set(extent, `extent-${suffix}+0x${offset.toString(16)}`);
    }
  }
  return names;
}

function renamed(value: unknown, rename: (text: string) => string): unknown {
  if (typeof value === 'string') return rename(value);
  if (Array.isArray(value)) return value.map((entry: unknown) => renamed(entry, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [rename(key), renamed(entry, rename)]),
  );
}
