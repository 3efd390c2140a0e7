import { nameHint, type Diagnostic, type DocumentPath } from '../base/document/document.js';
import type { YamlDocument } from '../base/document/yaml.js';
import { formatSize } from '../base/size.js';
import { busesOf, busRange } from './buses.js';
import { capacityFaults, nearestMultiples } from './capacity.js';
import { CAPACITY_UNIT, emulatorLimits, MAX_WINDOWS } from './emulator-limits.js';
import { INTERLEAVE_WAYS, type TopologyDocument } from './language.js';
import { wire, type Wiring } from './wiring.js';

type Complain = (path: DocumentPath, message: string, hint?: string) => void;

/** Below it a stock kernel with its initramfs does not come up. */
const MIN_MEMORY = 512 * 2 ** 20;
const MAX_MEMORY = 64 * 2 ** 30;

/** What a topology says that QEMU or the kernel would refuse, or would accept and silently do something else. */
export function topologyFaults(document: TopologyDocument, source: YamlDocument): Diagnostic[] {
  const found: Diagnostic[] = [];
  const complain: Complain = (path, message, hint) => {
    found.push({ ...source.at(path), message, ...(hint === undefined ? {} : { hint }) });
  };
  const wiring = wire(document);
  checkMachine(document, complain);
  checkIds(document, complain);
  checkPlugging(document, wiring, complain);
  checkDevices(document, complain);
  checkWindows(document, complain);
  checkHmat(document, complain);
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

function checkMachine(
  { memory, cpus, nodes, bridges, switches }: TopologyDocument,
  complain: Complain,
): void {
  if (memory < MIN_MEMORY || memory > MAX_MEMORY) {
    complain(['memory'], `memory must be ${formatSize(MIN_MEMORY)} to ${formatSize(MAX_MEMORY)}`);
  }
  if (memory % (nodes * 128 * 2 ** 20) !== 0) {
    complain(['memory'], 'memory must be a multiple of 128M for each node');
  }
  if (cpus % nodes !== 0) complain(['cpus'], `${cpus} cpus do not divide over ${nodes} nodes`);
  const available = busRange(bridges.length);
  bridges.forEach((bridge, n) => {
    const needed = busesOf(bridge, switches);
    if (needed > available) {
      complain(
        ['bridges', n],
        `${bridge.id} needs ${needed} PCI bus numbers, with ${bridges.length} bridges each has ${available}`,
      );
    }
  });
}

function checkIds(document: TopologyDocument, complain: Complain): void {
  const seen = new Set<string>();
  const claim = (id: string, path: DocumentPath): void => {
    if (seen.has(id)) complain(path, `the id ${id} is there twice`, 'ids are unique over all parts');
    seen.add(id);
  };
  for (const kind of ['bridges', 'switches', 'devices', 'windows'] as const) {
    document[kind].forEach((part, n) => {
      claim(part.id, [kind, n, 'id']);
      if ('ports' in part) part.ports.forEach((port, m) => claim(port, [kind, n, 'ports', m]));
    });
  }
  document.mocks?.forEach(({ id }, n) => claim(id, ['mocks', n, 'id']));
}

function checkPlugging(document: TopologyDocument, wiring: Wiring, complain: Complain): void {
  const declared = [...document.bridges, ...document.switches].flatMap(({ ports }) => ports);
  const checkPort = (id: string, port: string, path: DocumentPath): void => {
    const holder = wiring.plugged.get(port);
    if (!declared.includes(port)) {
      complain(path, `there is no port ${port}`, nameHint(port, declared, 'ports'));
    } else if (wiring.ports.has(port) && holder !== id) {
      // a port that hangs in the air is its switch's fault, which is told there
      complain(path, `port ${port} is taken by ${holder ?? 'another part'}`, freeHint(wiring));
    }
  };
  const { switchLevels } = emulatorLimits;
  document.switches.forEach(({ id, port }, n) => {
    const above = document.switches.find(({ ports }) => ports.includes(port));
    if (!above) checkPort(id, port, ['switches', n, 'port']);
    else {
      complain(
        ['switches', n, 'port'],
        `${id} is below another switch, ${above.id}: QEMU has ${switchLevels.limit}, and ${switchLevels.consequence} (${switchLevels.source})`,
        'plug it into a root port',
      );
    }
  });
  document.devices.forEach((device, n) => {
    if (device.port !== undefined) checkPort(device.id, device.port, ['devices', n, 'port']);
    else if (!wiring.portOf.has(device)) {
      complain(['devices', n, 'id'], `no port is left for ${device.id}`, 'add a port to a bridge or switch');
    }
  });
}

function freeHint({ freePorts }: Wiring): string {
  return freePorts.length === 0 ? 'no port is free' : `free ports: ${freePorts.join(', ')}`;
}

function checkDevices({ devices, mocks = [] }: TopologyDocument, complain: Complain): void {
  const owner = new Map<number, string>();
  const claim = (serial: number | undefined, id: string, path: DocumentPath, hint: string): void => {
    if (serial === undefined) return;
    const other = owner.get(serial);
    if (other !== undefined) complain([...path, 'serial'], `${other} has serial ${serial} too`, hint);
    owner.set(serial, id);
  };
  mocks.forEach(({ id, serial }, n) =>
    claim(serial, id, ['mocks', n], 'cxl_test numbers its devices from 1: that of cxl_mem.2 is 3'),
  );
  devices.forEach((device, n) => {
    for (const { key, message, hint } of capacityFaults(device))
      complain(['devices', n, ...key], message, hint);
    claim(device.serial, device.id, ['devices', n], 'leave `serial` out to get a unique one');
  });
}

function checkWindows({ windows, bridges }: TopologyDocument, complain: Complain): void {
  const bridgeIds = bridges.map(({ id }) => id);
  windows.forEach(({ id, targets, size }, n) => {
    const path = ['windows', n];
    targets.forEach((target, m) => {
      if (!bridgeIds.includes(target)) {
        complain(
          [...path, 'targets', m],
          `window ${id} names no bridge: ${target}`,
          nameHint(target, bridgeIds, 'bridges'),
        );
      } else if (targets.indexOf(target) < m) {
        complain([...path, 'targets', m], `${target} is a target of ${id} twice`);
      }
    });
    if (!INTERLEAVE_WAYS.includes(targets.length)) {
      complain(
        [...path, 'targets'],
        `CXL has no ${targets.length}-way interleave`,
        `ways: ${INTERLEAVE_WAYS.join(', ')}`,
      );
    }
    const unit = CAPACITY_UNIT * targets.length;
    if (size % unit !== 0) {
      complain(
        [...path, 'size'],
        `the size of ${id} must be a multiple of ${formatSize(unit)}: 256M for each target`,
        nearestMultiples(size, unit),
      );
    }
  });
  const total = windows.reduce((sum, { size }) => sum + size, 0);
  if (total > MAX_WINDOWS) {
    complain(
      ['windows'],
      `the windows are ${formatSize(total)} together, at most ${formatSize(MAX_WINDOWS)} fit`,
    );
  }
}

function checkHmat({ hmat, bridges }: TopologyDocument, complain: Complain): void {
  if (!hmat) return;
  const bridgeIds = bridges.map(({ id }) => id);
  const seen = new Set<string>();
  hmat.bridges.forEach(({ bridge }, n) => {
    const path = ['hmat', 'bridges', n, 'bridge'];
    if (!bridgeIds.includes(bridge)) {
      complain(path, `there is no bridge ${bridge}`, nameHint(bridge, bridgeIds, 'bridges'));
    } else if (seen.has(bridge)) complain(path, `${bridge} is there twice`);
    seen.add(bridge);
  });
  [hmat.memory, ...hmat.bridges].forEach(({ bandwidth }, n) => {
    const path = n === 0 ? ['hmat', 'memory', 'bandwidth'] : ['hmat', 'bridges', n - 1, 'bandwidth'];
    if (bandwidth % 2 ** 20 !== 0) complain(path, 'a bandwidth is a multiple of 1M');
  });
}
