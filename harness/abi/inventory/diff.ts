import type { Attribute } from './inventory.js';

type Compared = Pick<Attribute, 'path' | 'modes' | 'on'>;

/** What differs between the attributes of two kernels. */
export interface InventoryDiff<T extends Compared> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  /** the same path with other permissions, or on devices of other types */
  readonly changed: readonly { readonly before: T; readonly after: T }[];
}

/** Attributes are the same by their path. */
export function diffInventories<T extends Compared>(
  before: readonly T[],
  after: readonly T[],
): InventoryDiff<T> {
  const was = new Map(before.map((one) => [one.path, one]));
  const is = new Map(after.map((one) => [one.path, one]));
  return {
    added: after.filter(({ path }) => !was.has(path)),
    removed: before.filter(({ path }) => !is.has(path)),
    changed: before.flatMap((one) => {
      const other = is.get(one.path);
      return other && sides(one) !== sides(other) ? [{ before: one, after: other }] : [];
    }),
  };
}

function sides({ modes, on }: Compared): string {
  return `${modes.join()} ${on.join()}`;
}
