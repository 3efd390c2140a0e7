import { withNormalNames, type State } from '../abi/index.js';

/**
 * The state as it can be compared between two guests: without the numbers that go by the order of probing, and without
 * the PCI bridges' address windows, which the firmware gives out at a boot and the kernel at a resume.
 */
export function comparable(state: State): State {
  const { iomem, ...others } = withNormalNames(state);
  return { ...others, iomem: withoutBridges(iomem) };
}

type Ranges = State['iomem'];

function withoutBridges(ranges: Ranges): Ranges {
  return Object.fromEntries(
    Object.entries(ranges)
      .filter(([, { name }]) => !name.startsWith('PCI Bus'))
      .map(([place, range]) => [place, { ...range, children: withoutBridges(range.children) }]),
  );
}
