import { busNumber } from './buses.js';
import type { TopologyDocument } from './language.js';
import type { PlannedDevice, PlannedWindow } from './plan.js';
import type { Wiring } from './wiring.js';

type Properties = Readonly<Record<string, unknown>>;

/** Address space for memory hotplug; with it QEMU writes an SRAT, without which CXL memory lands in node 0. */
const HOTPLUG_ROOM = 15 * 2 ** 30;
/** Slots of pcie.0 from here on are the host bridges'; QEMU gives other devices the lowest free ones. */
const FIRST_BRIDGE_SLOT = 0x10;

/** QEMU's arguments for the machine's memory, CPUs, CXL parts and windows. */
export function qemuArgs(
  document: TopologyDocument,
  wiring: Wiring,
  devices: readonly PlannedDevice[],
  windows: readonly PlannedWindow[],
): string[] {
  return [
    ...machineArgs(document),
    ...document.bridges.flatMap((bridge, n) => [
      ...deviceArg({
        driver: 'pxb-cxl',
        id: bridge.id,
        bus: 'pcie.0',
        addr: hex(FIRST_BRIDGE_SLOT + n),
        bus_nr: busNumber(n, document.bridges.length),
        hdm_for_passthrough: bridge['hdm-for-passthrough'],
      }),
      ...portArgs('cxl-rp', bridge.id, bridge.ports, wiring),
    ]),
    ...document.switches.flatMap(({ id, port, ports }) => [
      ...deviceArg({ driver: 'cxl-upstream', id, bus: port }),
      ...portArgs('cxl-downstream', id, ports, wiring),
    ]),
    ...devices.flatMap((device) => {
      const { objects, device: properties } = typeThree(device);
      return [...objects.flatMap(objectArg), ...deviceArg(properties)];
    }),
    ...windowArgs(windows),
    ...(document.hmat ? hmatArgs(document, document.hmat) : []),
  ];
}

/**
 * A type-3 device as QEMU sees it: the memory backends it needs, then itself.
 * @param suffix goes into the backends' ids: QEMU never lets go of the backends of a CXL device that was unplugged
 */
export function typeThree(device: PlannedDevice, suffix = ''): { objects: Properties[]; device: Properties } {
  const objects: Properties[] = [];
  const backend = (part: string, size: number): string | undefined => {
    if (size === 0) return undefined;
    const id = `${device.id}-${part}${suffix}`;
    objects.push({ 'qom-type': 'memory-backend-ram', id, size });
    return id;
  };
  const volatile = backend('volatile', device.volatileBytes);
  const persistent = backend('persistent', device.persistentBytes);
  const labels = backend('labels', device.labelBytes);
  const dynamic = backend('dynamic', device.dynamic?.bytes ?? 0);
  return {
    objects,
    device: {
      driver: 'cxl-type3',
      id: device.id,
      bus: device.port,
      sn: device.serial,
      ...(volatile === undefined ? {} : { 'volatile-memdev': volatile }),
      ...(persistent === undefined ? {} : { 'persistent-memdev': persistent }),
      ...(labels === undefined ? {} : { lsa: labels }),
      ...(dynamic === undefined
        ? {}
        : { 'volatile-dc-memdev': dynamic, 'num-dc-regions': device.dynamic?.regions }),
    },
  };
}

function machineArgs({ memory, cpus, nodes, hmat }: TopologyDocument): string[] {
  const args = [
    '-smp',
    // CPUs of one socket share a cache, and the kernel warns when such CPUs are on different nodes
    nodes === 1 ? `${cpus}` : `${cpus},sockets=${nodes}`,
    '-m',
    `${memory / 2 ** 20}M,slots=4,maxmem=${(memory + HOTPLUG_ROOM) / 2 ** 20}M`,
  ];
  if (nodes === 1 && !hmat) return args;
  const cpusOfNode = cpus / nodes;
  for (let node = 0; node < nodes; node++) {
    const id = `node${node}-memory`;
    const own = `cpus=${node * cpusOfNode}-${(node + 1) * cpusOfNode - 1}`;
    args.push(
      ...objectArg({ 'qom-type': 'memory-backend-ram', id, size: memory / nodes }),
      '-numa',
      `node,nodeid=${node},memdev=${id},${own}`,
    );
  }
  return args;
}

function portArgs(
  driver: 'cxl-rp' | 'cxl-downstream',
  bus: string,
  ports: readonly string[],
  wiring: Wiring,
): string[] {
  return ports.flatMap((id) => {
    const port = wiring.ports.get(id);
    return port ? deviceArg({ driver, id, bus, port: port.number, chassis: 0, slot: port.slot }) : [];
  });
}

/**
 * -M takes no JSON; every part of it is a number or an id that the schema has checked. All windows go into one -M:
 * QEMU refuses a list that is spread over several ("used inconsistently").
 */
function windowArgs(windows: readonly PlannedWindow[]): string[] {
  if (windows.length === 0) return [];
  const options = windows.flatMap(({ index, targets, sizeBytes, granularity }) => [
    ...targets.map((target, n) => `cxl-fmw.${index}.targets.${n}=${target}`),
    `cxl-fmw.${index}.size=${sizeBytes / 2 ** 20}M`,
    `cxl-fmw.${index}.interleave-granularity=${granularity}`,
  ]);
  return ['-M', options.join(',')];
}

/** Each bridge with a generic port is a node without memory of its own, after the machine's nodes. */
function hmatArgs({ nodes }: TopologyDocument, hmat: NonNullable<TopologyDocument['hmat']>): string[] {
  const args = ['-M', 'hmat=on'];
  hmat.bridges.forEach(({ bridge }, n) => {
    args.push('-numa', `node,nodeid=${nodes + n}`);
    args.push(
      ...objectArg({
        'qom-type': 'acpi-generic-port',
        id: `${bridge}-port`,
        'pci-bus': bridge,
        node: nodes + n,
      }),
    );
  });
  for (let initiator = 0; initiator < nodes; initiator++) {
    const targets = [...Array.from({ length: nodes }, () => hmat.memory), ...hmat.bridges];
    targets.forEach(({ latency, bandwidth }, target) => {
      const lb = `hmat-lb,initiator=${initiator},target=${target},hierarchy=memory`;
      args.push('-numa', `${lb},data-type=access-latency,latency=${latency}`);
      args.push('-numa', `${lb},data-type=access-bandwidth,bandwidth=${bandwidth / 2 ** 20}M`);
    });
  }
  return args;
}

function deviceArg(properties: Properties): string[] {
  return ['-device', JSON.stringify(properties)];
}

function objectArg(properties: Properties): string[] {
  return ['-object', JSON.stringify(properties)];
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
