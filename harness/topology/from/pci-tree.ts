import { learn, type Observed } from './observed.js';

/** Reads the tree of `lspci -t` or `lspci -tv`: which port each device is plugged into (pciutils, ls-tree.c). */
export function readLspciTree(text: string, into: Observed): void {
  /** the bus that the devices at a column of the text are on */
  const busAt = new Map<number, Bus>();
  for (const line of text.split('\n')) readTreeLine(line, busAt, into);
}

interface Bus {
  /** `0000:0c` */
  readonly number: string;
  /** the bridge above it: a PCI address, or the root complex `pci0000:0c` */
  readonly above: string;
}

/** The parts of a line: a root bus, a bus below a bridge, a device, and a place where more devices of a bus follow. */
const PART = /\[([\da-f]{4}):([\da-f]{2})\]|\[([\da-f]{2})(?:-[\da-f]{2})?\]|([\da-f]{2}\.[0-7])|[+\\]/g;

function readTreeLine(line: string, busAt: Map<number, Bus>, into: Observed): void {
  let bus: Bus | undefined;
  let device: string | undefined;
  let domain = '0000';
  for (const part of line.matchAll(PART)) {
    const [all, rootDomain, rootBus, secondary, slot] = part;
    if (rootDomain !== undefined && rootBus !== undefined) {
      domain = rootDomain;
      bus = { number: `${rootDomain}:${rootBus}`, above: `pci${rootDomain}:${rootBus}` };
    } else if (secondary !== undefined && device !== undefined) {
      bus = { number: `${device.slice(0, 4) || domain}:${secondary}`, above: device };
    } else if (slot !== undefined && bus !== undefined) {
      device = `${bus.number}:${slot}`;
      into.parents.set(device, bus.above);
      const words = line.slice(part.index + all.length);
      // what follows is its description, with digits of its own
      if (!/^-+(?:[+[]|\[)/.test(words)) {
        if (/\bCXL\b/i.test(words)) learn(into.memdevs, { name: `at ${device}`, host: device });
        return;
      }
    } else if (bus !== undefined) busAt.set(part.index, bus);
    else bus = busAt.get(part.index);
  }
}

/**
 * Reads what the PCI code and cxl drivers say while they start: bridges with the buses behind them, and memory devices
 * of the CXL class (PCI code and ID assignment: 0502, programming interface 10h).
 */
export function readKernelLog(text: string, into: Observed): void {
  const bridgeAbove = new Map<string, string>();
  const devices = new Set<string>();
  for (const line of text.split('\n')) {
    const bus = /PCI host bridge to bus ([\da-f]{4}:[\da-f]{2})/.exec(line)?.[1];
    if (bus !== undefined) bridgeAbove.set(bus, `pci${bus}`);
    const bridge = /pci (([\da-f]{4}):[\da-f]{2}:[\da-f]{2}\.\d): PCI bridge to \[bus ([\da-f]{2})/.exec(
      line,
    );
    // a bridge that has no buses yet says 00
    if (bridge?.[1] !== undefined && bridge[3] !== '00') {
      devices.add(bridge[1]);
      bridgeAbove.set(`${bridge[2] ?? ''}:${bridge[3] ?? ''}`, bridge[1]);
    }
    const memory =
      /pci ([\da-f]{4}:[\da-f]{2}:[\da-f]{2}\.\d): \[[\da-f]{4}:[\da-f]{4}\] .*class 0x050210/.exec(line);
    if (memory?.[1] !== undefined) {
      devices.add(memory[1]);
      learn(into.memdevs, { name: `at ${memory[1]}`, host: memory[1] });
    }
  }
  for (const device of devices) {
    const above = bridgeAbove.get(device.slice(0, 7));
    if (above !== undefined && !into.parents.has(device)) into.parents.set(device, above);
  }
}
