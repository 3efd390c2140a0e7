import type { NearestTopology } from './nearest-topology.js';
import type { Observed, ObservedMemdev } from './observed.js';

/** Where each device stands below bridges and switches of a topology. */
export interface Places {
  readonly bridges: NearestTopology['bridges'];
  readonly switches: NearestTopology['switches'];
  readonly portOf: ReadonlyMap<ObservedMemdev, string>;
  /** the topology id of the bridge above a device */
  readonly bridgeOf: ReadonlyMap<ObservedMemdev, string>;
  /** by what the report calls a bridge, or by another name of it */
  readonly bridgeId: (name: string) => string | undefined;
}

/** From the device up to its host bridge, as the report names them. */
interface Path {
  readonly bridge: string;
  readonly rootPort: string;
  /** the switch nearest to the root port, by its upstream port, and the downstream port that the device is below */
  readonly switch?: { readonly upstream: string; readonly port: string };
}

export function placesOf(observed: Observed, notes: string[]): Places {
  const draft = { bridges: [] as Bridge[], switches: [] as Switch[] };
  const portOf = new Map<ObservedMemdev, string>();
  const bridgeOf = new Map<ObservedMemdev, string>();
  // every bridge that a window names is there, in the order of the windows: that is their interleave order
  for (const { targets } of observed.windows)
    for (const target of targets) bridge(draft, canonical(target, observed));
  for (const memdev of observed.memdevs) {
    const path = pathOf(memdev, observed, notes);
    const above = bridge(draft, path.bridge);
    const rootPort = port(above, path.rootPort, 'rp', count(draft.bridges));
    bridgeOf.set(memdev, above.id);
    portOf.set(memdev, path.switch ? switchPort(draft, rootPort, path.switch) : rootPort);
  }
  const used = draft.bridges.filter(({ ports }) => ports.size > 0);
  for (const { name } of draft.bridges.filter((one) => !used.includes(one)))
    notes.push(`${name} has no device below it: left out`);
  return {
    bridges: used.map(({ id, ports }) => ({ id, ports: [...ports.values()] })),
    switches: draft.switches.map(({ id, port: above, ports }) => ({
      id,
      port: above,
      ports: [...ports.values()],
    })),
    portOf,
    bridgeOf,
    bridgeId: (name) => used.find((one) => one.name === canonical(name, observed))?.id,
  };
}

interface Bridge {
  readonly id: string;
  readonly name: string;
  /** ids by the report's names */
  readonly ports: Map<string, string>;
}

interface Switch {
  readonly id: string;
  readonly name: string;
  readonly port: string;
  readonly ports: Map<string, string>;
}

interface Draft {
  readonly bridges: Bridge[];
  readonly switches: Switch[];
}

function pathOf(memdev: ObservedMemdev, { parents, windows }: Observed, notes: string[]): Path {
  const chain: string[] = [];
  for (let at = memdev.host; at !== undefined && !chain.includes(at); at = parents.get(at)) chain.push(at);
  // device, (downstream port, upstream port)*, root port, host bridge
  const [bridgeName, rootPort, ...below] = chain.slice(1).reverse();
  if (bridgeName === undefined || rootPort === undefined) {
    const guess = windows.find(({ targets }) => targets.length > 0)?.targets[0] ?? 'the host bridge';
    notes.push(`the report does not say what ${memdev.name} is plugged into: a root port of its own`);
    return { bridge: guess, rootPort: `for ${memdev.name}` };
  }
  if (below.length > 2)
    notes.push(
      `${memdev.name} is below more than one switch: QEMU routes through one level, so it is put below the first`,
    );
  const [upstream, downstream] = below;
  if (upstream === undefined) return { bridge: bridgeName, rootPort };
  // below a further switch several devices share the downstream port of the first: one port each
  const own =
    below.length > 2 ? `${downstream ?? ''} for ${memdev.name}` : (downstream ?? `for ${memdev.name}`);
  return { bridge: bridgeName, rootPort, switch: { upstream, port: own } };
}

function canonical(name: string, { aliases }: Observed): string {
  return aliases.get(name) ?? name;
}

function bridge({ bridges }: Draft, name: string): Bridge {
  const known = bridges.find((one) => one.name === name);
  if (known) return known;
  const added = { id: `hb${bridges.length}`, name, ports: new Map<string, string>() };
  bridges.push(added);
  return added;
}

function port(
  { ports }: { readonly ports: Map<string, string> },
  name: string,
  prefix: string,
  next: number,
): string {
  const known = ports.get(name);
  if (known !== undefined) return known;
  const id = `${prefix}${next}`;
  ports.set(name, id);
  return id;
}

function switchPort(
  draft: Draft,
  rootPort: string,
  { upstream, port: name }: NonNullable<Path['switch']>,
): string {
  let above = draft.switches.find((one) => one.name === upstream);
  if (!above) {
    above = { id: `sw${draft.switches.length}`, name: upstream, port: rootPort, ports: new Map() };
    draft.switches.push(above);
  }
  return port(above, name, `${above.id}-dp`, above.ports.size);
}

function count(bridges: readonly Bridge[]): number {
  return bridges.reduce((sum, { ports }) => sum + ports.size, 0);
}
