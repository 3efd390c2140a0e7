import { parseSize } from '../../base/size.js';
import { Unmet, type BodyPath } from './outcome.js';

/** Bytes of a size, after captures were put in. @throws Unmet */
export function toBytes(value: string | number, path: BodyPath): number {
  const bytes = typeof value === 'number' ? value : parseSize(value);
  if (bytes === undefined) throw notA('size', value, path);
  return bytes;
}

/** A whole number, after captures were put in. @throws Unmet */
export function toCount(value: string | number, path: BodyPath): number {
  const count = typeof value === 'number' ? value : Number(value.trim() === '' ? NaN : value);
  if (!Number.isSafeInteger(count)) throw notA('number', value, path);
  return count;
}

function notA(what: string, value: string | number, path: BodyPath): Unmet {
  return new Unmet({
    message: `${JSON.stringify(value)} is no ${what}`,
    path,
    received: value,
    blame: 'scenario',
  });
}
