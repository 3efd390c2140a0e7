import { plural } from '../../../plural.js';
import { badge } from '../frame/badge.js';
import { caseName, firstLine } from './case-list.js';
import { h } from '../frame/dom.js';
import { caseLink } from '../frame/route.js';
import type { ComparedCase } from '../frame/selection.js';
import { duration } from '../frame/text.js';

/** One row a case, one column a kernel: what differs is marked by word, not only by colour. */
export function kernelComparison(
  rows: readonly ComparedCase[],
  kernels: readonly { readonly profile: string; readonly release: string }[],
  differencesOnly: boolean,
  change: (differencesOnly: boolean) => void,
): HTMLElement {
  const box: HTMLInputElement = h('input', {
    type: 'checkbox',
    checked: differencesOnly,
    onchange: () => change(box.checked),
  });
  const differing = rows.filter(({ differs }) => differs).length;
  return h(
    'div',
    { class: 'comparison', style: { '--kernels': String(kernels.length) } },
    h(
      'p',
      { class: 'comparison-head' },
      h('label', {}, box, ' only where the kernels differ'),
      h('span', { class: 'quiet' }, plural(differing, 'difference')),
    ),
    h(
      'div',
      { class: 'compare-row heads' },
      h('span', { class: 'head' }, 'Case'),
      ...kernels.map(({ profile, release }) =>
        h('span', { class: 'head' }, profile, h('span', { class: 'quiet' }, ` ${release}`)),
      ),
    ),
    ...rows.map((row) =>
      h(
        'div',
        { class: `compare-row ${row.differs ? 'differs' : ''}` },
        h(
          'span',
          { class: 'what' },
          caseName(row.name),
          row.title !== '' && h('span', { class: 'title' }, row.title),
          row.differs && h('span', { class: 'differs-mark' }, 'differs'),
        ),
        ...kernels.map(({ profile }) => {
          const entry = row.entries.get(profile);
          if (!entry) return h('span', { class: 'quiet' }, 'not run');
          return h(
            'a',
            { class: 'compared', href: caseLink(entry.key) },
            h(
              'span',
              { class: 'verdict-line' },
              badge(entry.verdict),
              h('span', { class: 'quiet' }, duration(entry.milliseconds)),
            ),
            entry.reason !== undefined && h('span', { class: 'reason' }, firstLine(entry.reason)),
          );
        }),
      ),
    ),
  );
}
