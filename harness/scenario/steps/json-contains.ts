import { isMap } from '../../base/plain.js';
import { parseSize } from '../../base/size.js';

export interface JsonMismatch {
  /** where in the expected value */
  readonly path: readonly (string | number)[];
  readonly expected: unknown;
  readonly received: unknown;
}

/**
 * Where a JSON value does not contain an expected one; undefined when it does. Objects may have more keys. Every entry
 * of an expected list is found in the list, each in another place and in the same order. A list of one and the thing
 * itself are the same, as the tools print one or the other. Sizes and numbers may be written as texts.
 */
export function jsonMismatch(received: unknown, expected: unknown): JsonMismatch | undefined {
  return mismatchAt(received, expected, []);
}

function mismatchAt(
  received: unknown,
  expected: unknown,
  path: readonly (string | number)[],
): JsonMismatch | undefined {
  if (Array.isArray(expected)) {
    return listMismatch(Array.isArray(received) ? received : [received], expected, path);
  }
  if (Array.isArray(received) && received.length === 1) return mismatchAt(received[0], expected, path);
  if (isMap(expected)) {
    if (!isMap(received)) return { path, expected, received };
    for (const [key, value] of Object.entries(expected)) {
      const mismatch = mismatchAt(received[key], value, [...path, key]);
      if (mismatch) return mismatch;
    }
    return undefined;
  }
  return isSame(received, expected) ? undefined : { path, expected, received };
}

function listMismatch(
  received: readonly unknown[],
  expected: readonly unknown[],
  path: readonly (string | number)[],
): JsonMismatch | undefined {
  let from = 0;
  for (const [index, entry] of expected.entries()) {
    const rest = received.slice(from);
    const found = rest.findIndex((one) => !mismatchAt(one, entry, []));
    if (found < 0) {
      // with one candidate its own difference tells more than the whole list
      const only = rest.length === 1 ? mismatchAt(rest[0], entry, [...path, index]) : undefined;
      return only ?? { path: [...path, index], expected: entry, received: rest };
    }
    from += found + 1;
  }
  return undefined;
}

function isSame(received: unknown, expected: unknown): boolean {
  if (received === expected) return true;
  if (typeof received === 'number' && typeof expected === 'string') {
    return parseSize(expected) === received || expected === `${received}`;
  }
  return typeof received === 'string' && typeof expected === 'number' && received === `${expected}`;
}
