import type { TopologyDocument } from './language.js';

type Bridge = TopologyDocument['bridges'][number];
type Switch = TopologyDocument['switches'][number];

/** Bus numbers below it are left to the machine's own root bus. */
const FIRST_BUS = 16;
const BUSES = 256;

/** How many PCI bus numbers each of so many host bridges has to itself. */
export function busRange(bridges: number): number {
  return Math.floor((BUSES - FIRST_BUS) / Math.max(bridges, 1));
}

/** The number of the bus that is the nth of so many host bridges; QEMU makes it the bridge's ACPI _UID too. */
export function busNumber(n: number, bridges: number): number {
  return FIRST_BUS + n * busRange(bridges);
}

/** How many bus numbers the firmware gives out below a bridge: its own, one a port, one a switch inside. */
export function busesOf(bridge: Bridge, switches: readonly Switch[]): number {
  const below = bridge.ports.map((port) => {
    const inner = switches.find((one) => one.port === port);
    return inner ? 2 + inner.ports.length : 1;
  });
  return below.reduce((sum, buses) => sum + buses, 1);
}
