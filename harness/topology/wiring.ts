import type { DeviceDocument, TopologyDocument } from './language.js';
import type { PlannedPort } from './plan.js';

/** A port with what the document says of it. */
export interface WiredPort extends PlannedPort {
  /** its number below its bridge or switch: what the guest calls dportN */
  readonly number: number;
}

/** Which part is plugged into which port, as far as the document is sound: what it says wrongly is left out. */
export interface Wiring {
  readonly ports: ReadonlyMap<string, WiredPort>;
  /** port id -> id of the switch or device plugged in */
  readonly plugged: ReadonlyMap<string, string>;
  /** device -> port id; devices that found no port are missing */
  readonly portOf: ReadonlyMap<DeviceDocument, string>;
  readonly freePorts: readonly string[];
}

/**
 * Follows the document from the bridges down. A switch that names a root port, or a device that names any port, gets it,
 * the first come if two want one; then the devices that name none take the free ports in the order of the file.
 */
export function wire(document: TopologyDocument): Wiring {
  const ports = new Map<string, WiredPort>();
  const add = (ids: readonly string[], hostBridge: string, switchId?: string): void => {
    ids.forEach((id, number) => {
      if (ports.has(id)) return;
      const below = switchId === undefined ? {} : { switch: switchId };
      ports.set(id, { id, hostBridge, ...below, number, slot: ports.size + 1 });
    });
  };
  for (const bridge of document.bridges) add(bridge.ports, bridge.id);

  const plugged = new Map<string, string>();
  const rootPorts = new Set(ports.keys());
  for (const { id, port, ports: below } of document.switches) {
    if (!rootPorts.has(port) || plugged.has(port)) continue;
    plugged.set(port, id);
    add(below, ports.get(port)?.hostBridge ?? '', id);
  }

  const portOf = new Map<DeviceDocument, string>();
  const plug = (device: DeviceDocument, port: string): void => {
    plugged.set(port, device.id);
    portOf.set(device, port);
  };
  for (const device of document.devices) {
    const { port } = device;
    if (port !== undefined && ports.has(port) && !plugged.has(port)) plug(device, port);
  }
  const free = [...ports.keys()].filter((port) => !plugged.has(port));
  for (const device of document.devices) {
    if (device.port !== undefined) continue;
    const port = free.shift();
    if (port !== undefined) plug(device, port);
  }
  return { ports, plugged, portOf, freePorts: free };
}
