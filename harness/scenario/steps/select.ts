import type { MemoryBlock, State } from '../../abi/index.js';

export interface AddressRange {
  readonly start: number;
  /** bytes */
  readonly size: number;
}

/** The memory blocks that lie in a range of addresses, lowest first. */
export function blocksWithin(range: AddressRange, state: State): [block: number, MemoryBlock][] {
  return allBlocks(state).filter(
    ([, { physAddress }]) => physAddress >= range.start && physAddress < range.start + range.size,
  );
}

export function allBlocks(state: State): [block: number, MemoryBlock][] {
  return Object.entries(state.memoryBlocks).map(([block, one]) => [Number(block), one]);
}

/** The memdev with a serial number: the kernel's numbering of memdevs is not stable. */
export function memdevWithSerial(serial: number, state: State): string | undefined {
  return Object.entries(state.memdevs).find(([, memdev]) => memdev.serial === serial)?.[0];
}

/** Endpoint decoders of a memdev, in the order in which the kernel wants them used. */
export function endpointDecodersOf(memdev: string, state: State): string[] {
  const number = (decoder: string): number => Number(decoder.split('.')[1]);
  return Object.entries(state.decoders)
    .filter(([, decoder]) => decoder.memdev === memdev)
    .map(([name]) => name)
    .sort((a, b) => number(a) - number(b));
}

/** The first endpoint decoder of a memdev that holds no DPA. */
export function freeEndpointDecoder(memdev: string, state: State): string | undefined {
  return endpointDecodersOf(memdev, state).find((name) => !state.decoders[name]?.dpaSize);
}

/** Those of the endpoint decoders that hold DPA for a region; one that another region uses by now was freed before. */
export function heldDecoders(decoders: readonly string[], region: string, state: State): string[] {
  return decoders.filter((decoder) => {
    const found = state.decoders[decoder];
    return found?.dpaSize && (found.region === undefined || found.region === region);
  });
}
