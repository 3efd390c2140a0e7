/** Of the normal distribution, for 95 %. */
const Z = 1.96;

/**
 * Between which rates the true one lies, with 95 % confidence, when something was seen so often in so many tries: the
 * score interval of E. B. Wilson (1927), which holds for few tries and for rates near 0 and 1 too.
 */
export function confidence(seen: number, tries: number): readonly [low: number, high: number] {
  if (tries === 0) return [0, 1];
  const rate = seen / tries;
  const scale = 1 + Z ** 2 / tries;
  const middle = (rate + Z ** 2 / (2 * tries)) / scale;
  const half = (Z / scale) * Math.sqrt((rate * (1 - rate)) / tries + Z ** 2 / (4 * tries ** 2));
  return [seen === 0 ? 0 : middle - half, seen === tries ? 1 : middle + half];
}
