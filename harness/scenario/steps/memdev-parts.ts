import type { Memdev, State } from '../../abi/index.js';

/** A memdev that a step captured: what `${m}` and `${m.pci}` stand for. */
export interface MemdevCapture {
  readonly kind: 'memdev';
  readonly name: string;
  /** which device it is: the kernel may give its name to another */
  readonly serial: number;
}

interface MemdevPart {
  /** as it is written after the dot */
  readonly name: string;
  readonly description: string;
  find(memdev: Memdev): string | number | undefined;
}

/** What can be asked of a captured memdev: `${m.pci}`. The one list of these names. */
export const memdevParts: readonly MemdevPart[] = [
  { name: 'endpoint', description: 'its endpoint port: endpoint2', find: ({ endpoint }) => endpoint },
  { name: 'pci', description: 'its PCI address: 0000:0d:00.0', find: ({ pciAddress }) => pciAddress },
  { name: 'node', description: 'the NUMA node of its PCI device', find: ({ numaNode }) => numaNode },
  { name: 'serial', description: 'its serial number', find: ({ serial }) => serial },
];

/** Whether `${m.<part>}` can ever have a value. */
export function isMemdevPart(part: string): boolean {
  return memdevParts.some(({ name }) => name === part);
}

/** @returns undefined when the memdev has no such part now, or is gone */
export function findMemdevPart(
  { name, serial }: MemdevCapture,
  part: string,
  state: State,
): string | number | undefined {
  const memdev = state.memdevs[name];
  return memdev?.serial === serial ? memdevParts.find((one) => one.name === part)?.find(memdev) : undefined;
}
