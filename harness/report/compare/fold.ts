import { seconds } from '../terminal.js';
import type { ComparedCase, Difference } from './comparison.js';

/** Differences that say the same of several things or cases, in one. */
export interface FoldedDifference {
  readonly difference: Difference;
  /** how many there were */
  readonly times: number;
  /** ids of the cases that had it */
  readonly cases: readonly string[];
  /** of a thing that only one kernel has: the values that it took there */
  readonly values: readonly string[];
}

/**
 * Folds differences that are equal but for the numbers of devices and memory blocks, and those about an attribute
 * that only one kernel has; the ones of most cases first.
 */
export function foldDifferences(cases: readonly ComparedCase[]): FoldedDifference[] {
  const folded = new Map<
    string,
    { difference: Difference; times: number; cases: Set<string>; values: Set<string> }
  >();
  for (const { id, differences } of cases) {
    for (const difference of differences) {
      const key = sameness(difference);
      const entry = folded.get(key) ?? { difference, times: 0, cases: new Set(), values: new Set() };
      entry.times += 1;
      entry.cases.add(id);
      if (difference.kind === 'state') entry.values.add(valueText(oneOf(difference)));
      folded.set(key, entry);
    }
  }
  return [...folded.values()]
    .map((entry) => ({ ...entry, cases: [...entry.cases], values: [...entry.values] }))
    .sort((a, b) => b.cases.length - a.cases.length);
}

/** One difference in words: what it is about, and what it is on either kernel. */
export function differenceText({ difference, times, cases, values }: FoldedDifference): string {
  const more = times > cases.length ? ` (${times} alike)` : '';
  switch (difference.kind) {
    case 'splat':
      return `splat on the ${difference.on} only: ${difference.title}${difference.allowed ? ' (allowed by the scenario)' : ''}`;
    case 'answer':
      return `${difference.line}: ${difference.base} -> ${difference.head}${more}; step ${difference.step}`;
    case 'state': {
      const { path, base, head, step } = difference;
      const one = (value: unknown): string => (value === undefined ? 'absent' : values.join(' or '));
      const [was, is] =
        base === undefined || head === undefined
          ? [one(base), one(head)]
          : [valueText(base), valueText(head)];
      return `${path}: ${was} -> ${is}${more}; after step ${step}`;
    }
    case 'timing': {
      const times = difference.factor >= 1 ? difference.factor : 1 / difference.factor;
      const way = difference.factor >= 1 ? 'slower' : 'faster';
      return `${seconds(difference.base)} -> ${seconds(difference.head)}, ${times.toFixed(1)} times ${way}; most of it in step ${difference.step}`;
    }
  }
}

/** The value on the head, or on the base where the head has none; null is a value: what is not bound has no driver. */
function oneOf({ head, base }: { readonly head?: unknown; readonly base?: unknown }): unknown {
  return head === undefined ? base : head;
}

function sameness(difference: Difference): string {
  const plain = (text: string): string => text.replace(/\d+/g, 'N');
  switch (difference.kind) {
    case 'splat':
      return `splat ${difference.on} ${difference.fingerprint}`;
    case 'answer':
      return plain(`answer ${difference.line} ${difference.base} ${difference.head}`);
    case 'state': {
      const { path, base, head } = difference;
      const place = `state ${path.replace(SERIALS, '@N')}`;
      if (base === undefined || head === undefined)
        return plain(`${place} ${head === undefined ? '-' : '+'}`);
      return plain(`${place} ${JSON.stringify([base, head]).replace(SERIALS, '@N')}`);
    }
    case 'timing':
      return `timing ${difference.step} ${difference.base}`;
  }
}

/** What normal names have for numbers: of a region over two devices `@1,2`. */
const SERIALS = /@[\d,]+/g;

const MOST_OF_A_VALUE = 80;

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MOST_OF_A_VALUE ? `${text.slice(0, MOST_OF_A_VALUE)}...` : text;
}
