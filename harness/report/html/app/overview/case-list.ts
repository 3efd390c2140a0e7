import { skippedByReason, skippedLine } from '../../../skips.js';
import type { CaseEntry } from '../../page-content.js';
import { badge } from '../frame/badge.js';
import { h } from '../frame/dom.js';
import { caseLink } from '../frame/route.js';
import type { Selection, SortKey } from '../frame/selection.js';
import { duration } from '../frame/text.js';

/** What ran, in its order, then what was skipped, by reason: the order in which the list shows cases. */
export function inListOrder(cases: readonly CaseEntry[]): CaseEntry[] {
  return [...ran(cases), ...skippedByReason(cases).flatMap((group) => group.cases)];
}

function ran(cases: readonly CaseEntry[]): CaseEntry[] {
  return cases.filter(({ verdict }) => verdict !== 'skip');
}

/** The cases as rows. Each is a link, and laid out only when it comes into view (content-visibility). */
export function caseList(
  cases: readonly CaseEntry[],
  selection: Selection,
  withKernel: boolean,
  change: (part: Partial<Selection>) => void,
): HTMLElement {
  if (cases.length === 0) {
    return h('p', { class: 'nothing' }, 'No case is like that. ', h('a', { href: '#' }, 'Show all'));
  }
  // who asks for skipped cases, or looks for words, wants to see them
  const unfold = selection.verdicts.includes('skip') || selection.text !== '';
  const longest = Math.max(...cases.map(({ milliseconds }) => milliseconds), 1);
  const head = (sort: SortKey, text: string, style = ''): HTMLElement => {
    const current = selection.sort === sort;
    return h(
      'button',
      {
        type: 'button',
        class: `head ${style}`,
        'aria-label': `Sort by ${text.toLowerCase()}`,
        'aria-pressed': String(current),
        onclick: () => change({ sort, descending: current ? !selection.descending : false }),
      },
      text,
      h('span', { class: 'arrow', 'aria-hidden': 'true' }, current ? (selection.descending ? '↓' : '↑') : ''),
    );
  };
  return h(
    'div',
    { class: `case-list ${withKernel ? 'with-kernel' : ''}` },
    h(
      'div',
      { class: 'case-row heads' },
      head('verdict', 'Verdict'),
      head('name', 'Case'),
      withKernel && head('kernel', 'Kernel'),
      head('topology', 'Topology'),
      head('steps', 'Steps', 'number'),
      head('time', 'Time', 'number'),
    ),
    ...ran(cases).map((entry) => row(entry, longest, withKernel)),
    ...skippedByReason(cases).map(({ reason, cases: skipped }) => {
      const rows = skipped.map((entry) => row(entry, longest, withKernel));
      return rows.length === 1 ? rows[0] : folded(skippedLine(rows.length, reason), rows, unfold);
    }),
  );
}

/** Cases that the kernel lacks the same thing for are a line, until somebody wants to see them. */
function folded(line: string, rows: readonly HTMLElement[], open: boolean): HTMLElement {
  return h(
    'details',
    { class: 'skipped', ...(open && { open: '' }) },
    h('summary', {}, badge('skip'), line),
    ...rows,
  );
}

function row(entry: CaseEntry, longest: number, withKernel: boolean): HTMLElement {
  const share = `${((100 * entry.milliseconds) / longest).toFixed(2)}%`;
  return h(
    'a',
    { class: 'case-row', href: caseLink(entry.key), 'data-verdict': entry.verdict },
    badge(entry.verdict),
    h(
      'span',
      { class: 'what' },
      caseName(entry.name),
      entry.title !== '' && h('span', { class: 'title' }, entry.title),
      entry.reason !== undefined && h('span', { class: 'reason' }, firstLine(entry.reason)),
    ),
    withKernel && h('span', { class: 'quiet' }, entry.kernel),
    h('span', { class: 'quiet' }, entry.topology),
    h('span', { class: 'quiet number' }, entry.steps),
    h(
      'span',
      { class: 'time number' },
      duration(entry.milliseconds),
      h('span', { class: 'time-bar', style: { '--share': share } }),
    ),
  );
}

/** `current/kmem [policy=online]`: the values of the matrix set apart from the scenario's name. */
export function caseName(name: string): HTMLElement {
  const at = name.indexOf(' [');
  return at < 0
    ? h('span', { class: 'name' }, name)
    : h('span', { class: 'name' }, name.slice(0, at), h('span', { class: 'values' }, name.slice(at)));
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
