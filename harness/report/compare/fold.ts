import { seconds } from '../terminal.js';
import type { ComparedCase, Difference } from './comparison.js';

/** Differences that say the same of several things or cases, in one. */
export interface FoldedDifference {
  readonly difference: Difference;
  /** how many there were */
  readonly times: number;
  /** ids of the cases that had it */
  readonly cases: readonly string[];
}

/** Folds differences that are equal but for the numbers of devices and memory blocks; those of most cases first. */
export function foldDifferences(cases: readonly ComparedCase[]): FoldedDifference[] {
  const folded = new Map<string, { difference: Difference; times: number; cases: Set<string> }>();
  for (const { id, differences } of cases) {
    for (const difference of differences) {
      const key = sameness(difference);
      const entry = folded.get(key) ?? { difference, times: 0, cases: new Set() };
      entry.times += 1;
      entry.cases.add(id);
      folded.set(key, entry);
    }
  }
  return [...folded.values()]
    .map(({ difference, times, cases: ids }) => ({ difference, times, cases: [...ids] }))
    .sort((a, b) => b.cases.length - a.cases.length);
}

/** One difference in words: what it is about, and what it is on either kernel. */
export function differenceText({ difference, times, cases }: FoldedDifference): string {
  const more = times > cases.length ? ` (${times} alike)` : '';
  switch (difference.kind) {
    case 'splat':
      return `splat on the ${difference.on} only: ${difference.title}${difference.allowed ? ' (allowed by the scenario)' : ''}`;
    case 'answer':
      return `${difference.line}: ${difference.base} -> ${difference.head}${more}; step ${difference.step}`;
    case 'state':
      return `${difference.path}: ${valueText(difference.base)} -> ${valueText(difference.head)}${more}; after step ${difference.step}`;
    case 'timing': {
      const times = difference.factor >= 1 ? difference.factor : 1 / difference.factor;
      const way = difference.factor >= 1 ? 'slower' : 'faster';
      return `${seconds(difference.base)} -> ${seconds(difference.head)}, ${times.toFixed(1)} times ${way}; most of it in step ${difference.step}`;
    }
  }
}

function sameness(difference: Difference): string {
  const plain = (text: string): string => text.replace(/\d+/g, 'N');
  switch (difference.kind) {
    case 'splat':
      return `splat ${difference.on} ${difference.fingerprint}`;
    case 'answer':
      return plain(`answer ${difference.line} ${difference.base} ${difference.head}`);
    case 'state': {
      const values = JSON.stringify([difference.base, difference.head]);
      return plain(`state ${difference.path.replace(/@[\d,]+/g, '@N')} ${values.replace(/@[\d,]+/g, '@N')}`);
    }
    case 'timing':
      return `timing ${difference.step} ${difference.base}`;
  }
}

const MOST_OF_A_VALUE = 80;

function valueText(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MOST_OF_A_VALUE ? `${text.slice(0, MOST_OF_A_VALUE)}...` : text;
}
