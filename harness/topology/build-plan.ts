import { createHash } from 'node:crypto';
import {
  DocumentError,
  parseDocument,
  type Diagnostic,
  type YamlDocument,
} from '../base/document/document.js';
import { busNumber } from './buses.js';
import { topologySchema, type MockDocument, type OwnTopology, type TopologyDocument } from './language.js';
import type { MachinePlan, PlannedDevice, PlannedMock, PlannedPort, PlannedWindow } from './plan.js';
import { qemuArgs } from './qemu-args.js';
import { topologyFaults } from './rules.js';
import { wire, type WiredPort, type Wiring } from './wiring.js';

/**
 * The machine that the text of a topology describes.
 * @param file for messages only
 * @throws DocumentError with everything that is wrong in it
 */
export function planTopology(text: string, file: string, name: string): MachinePlan {
  const document = parseDocument(text, file, topologySchema);
  const faults = topologyFaults(document.value, document);
  if (faults.length > 0) throw new DocumentError(faults, text);
  return buildPlan(document.value, name);
}

/**
 * The machine of a topology that stands within a scenario, or everything that is wrong in it.
 * @param source where its parts stand
 */
export function planOwnTopology(
  topology: OwnTopology,
  source: YamlDocument,
  name: string,
): { readonly plan: MachinePlan } | { readonly faults: readonly Diagnostic[] } {
  const document = { cxlrig: 1, description: name, ...topology } as const;
  const faults = topologyFaults(document, source);
  return faults.length > 0 ? { faults } : { plan: buildPlan(document, name) };
}

function buildPlan(document: TopologyDocument, name: string): MachinePlan {
  const wiring = wire(document);
  const devices = planDevices(document, wiring);
  const windows = document.windows.map(({ id, size, granularity, targets }, index): PlannedWindow => ({
    id,
    index,
    sizeBytes: size,
    granularity,
    targets,
  }));
  const machine = {
    qemuArgs: qemuArgs(document, wiring, devices, windows),
    memoryBytes: document.memory,
    cpus: document.cpus,
    hostBridges: document.bridges.map(({ id }, n) => ({ id, uid: busNumber(n, document.bridges.length) })),
    switches: document.switches.map(({ id, port }) => ({ id, port })),
    ports: [...wiring.ports.values()].map(plannedPort),
    devices,
    ...(document.mocks && { mocks: document.mocks.map(planMock) }),
    windows,
    freePorts: wiring.freePorts,
  };
  const id = createHash('sha256').update(JSON.stringify(machine)).digest('hex').slice(0, 16);
  return { name, id, ...machine };
}

function planMock({ id, device, serial, ...bytes }: MockDocument): PlannedMock {
  return {
    id,
    serial,
    volatileBytes: bytes.volatile ?? 0,
    persistentBytes: bytes.persistent ?? 0,
    ...(bytes.dynamic === undefined ? {} : { dynamic: { bytes: bytes.dynamic, regions: 1 } }),
    platformDevice: device,
  };
}

function plannedPort(port: WiredPort): PlannedPort {
  const { id, hostBridge, slot } = port;
  return { id, hostBridge, ...(port.switch === undefined ? {} : { switch: port.switch }), slot };
}

function planDevices(document: TopologyDocument, wiring: Wiring): PlannedDevice[] {
  const taken = new Set([...document.devices, ...(document.mocks ?? [])].map(({ serial }) => serial));
  let last = 0;
  const nextSerial = (): number => {
    do last++;
    while (taken.has(last));
    return last;
  };
  return document.devices.map((device) => {
    const port = wiring.portOf.get(device) ?? '';
    return {
      id: device.id,
      serial: device.serial ?? nextSerial(),
      volatileBytes: device.volatile ?? 0,
      persistentBytes: device.persistent ?? 0,
      labelBytes: device.labels ?? 0,
      ...(device.dynamic ? { dynamic: { bytes: device.dynamic.size, regions: device.dynamic.regions } } : {}),
      port,
      hostBridge: wiring.ports.get(port)?.hostBridge ?? '',
    };
  });
}
