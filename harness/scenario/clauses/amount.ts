import { number } from './compare.js';
type Count = string | number;

/** How many there must be: exactly so many, or within bounds. */
export type Amount = Count | { readonly least?: Count | undefined; readonly most?: Count | undefined };

/** When nothing is said of how many: one is enough. */
export const SOME: Amount = { least: 1 };

export function isAmount(found: number, wanted: Amount): boolean {
  const { least, most } = boundsOf(wanted);
  return found >= least && found <= most;
}

/** `none`, `exactly 2`, `at least 1`, `1 to 3`. */
export function amountWords(wanted: Amount): string {
  const { least, most } = boundsOf(wanted);
  if (most === 0) return 'none';
  if (least === most) return `exactly ${least}`;
  if (most === Infinity) return `at least ${least}`;
  return least === 0 ? `at most ${most}` : `${least} to ${most}`;
}

function boundsOf(wanted: Amount): { least: number; most: number } {
  if (typeof wanted !== 'object') return { least: Number(number(wanted)), most: Number(number(wanted)) };
  return { least: Number(number(wanted.least) ?? 0), most: Number(number(wanted.most) ?? Infinity) };
}
