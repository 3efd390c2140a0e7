import type { Verdict } from '../../../../trace/trace.js';
import { h } from './dom.js';

const MARKS: Readonly<Record<Verdict, string>> = {
  pass: '✓',
  fail: '✕',
  infra: '!',
  fixed: '↑',
  'known-bug': '~',
  skip: '–',
};

/** A verdict by word, mark and colour, so that none of them is needed alone. */
export function badge(verdict: Verdict, text: string = verdict): HTMLElement {
  return h(
    'span',
    { class: `badge ${verdict}` },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, MARKS[verdict]),
    text,
  );
}
