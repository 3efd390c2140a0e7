import { expect, test } from 'vitest';
import { confidence } from './confidence.js';

test.each([
  // by R: binom::binom.confint(x, n, methods = "wilson")
  [3, 20, 0.0524, 0.3604],
  [50, 100, 0.4038, 0.5962],
  [0, 20, 0, 0.1611],
  [20, 20, 0.8389, 1],
  [0, 0, 0, 1],
])('%i of %i', (seen, tries, low, high) => {
  const [from, to] = confidence(seen, tries);
  expect(from).toBeCloseTo(low, 3);
  expect(to).toBeCloseTo(high, 3);
});
