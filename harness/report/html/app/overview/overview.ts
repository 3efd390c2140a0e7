import { plural } from '../../../plural.js';
import type { Verdict } from '../../../../trace/trace.js';
import type { CaseEntry, PageIndex } from '../../page-content.js';
import { badge } from '../frame/badge.js';
import { caseList, inListOrder } from './case-list.js';
import { h, replaceChildren } from '../frame/dom.js';
import { environment } from './environment.js';
import { kernelComparison } from './kernel-comparison.js';
import {
  VERDICTS,
  compareKernels,
  countBy,
  parseSelection,
  select,
  selectionQuery,
  type Selection,
} from '../frame/selection.js';
import { dateTime, duration } from '../frame/text.js';

export interface Overview {
  readonly element: HTMLElement;
  /** shows what the address asks for */
  show(query: URLSearchParams): void;
  /** the cases on show, in order */
  readonly shown: readonly CaseEntry[];
  focusSearch(): void;
}

/** The first page: the run, its verdicts, its cases. @param navigate changes the address without a new history entry */
export function makeOverview(index: PageIndex, navigate: (query: URLSearchParams) => void): Overview {
  const { cases, summary } = index;
  const kernels = [...new Set(cases.map(({ kernel }) => kernel))];
  const topologies = [...new Set(cases.map(({ topology }) => topology))].sort();
  let selection = parseSelection(new URLSearchParams());
  let shown: readonly CaseEntry[] = [];

  const change = (part: Partial<Selection>): void => navigate(selectionQuery({ ...selection, ...part }));

  const search: HTMLInputElement = h('input', {
    type: 'search',
    placeholder: 'Filter by words',
    'aria-label': 'Filter cases',
    spellcheck: 'false',
    oninput: () => change({ text: search.value }),
  });
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Verdicts' });
  const kernelSelect = choice('Kernel', kernels, (kernel) => change({ kernel }));
  const topologySelect = choice('Topology', topologies, (topology) => change({ topology }));
  const views = h('div', { class: 'segments', role: 'group', 'aria-label': 'View' });
  const count = h('p', { class: 'count', role: 'status' });
  const body = h('div', { class: 'cases' });

  const show = (query: URLSearchParams): void => {
    selection = parseSelection(query);
    if (search.value !== selection.text) search.value = selection.text;
    kernelSelect.value = selection.kernel;
    topologySelect.value = selection.topology;
    shown = inListOrder(select(cases, selection));
    replaceChildren(chips, ...verdictChips(cases, selection, change));
    replaceChildren(
      count,
      shown.length === cases.length ? '' : `${shown.length} of ${plural(cases.length, 'case')}`,
    );
    if (kernels.length > 1) replaceChildren(views, ...viewButtons(selection, change));
    if (selection.view === 'compare') {
      const inOrder = select(cases, { ...selection, kernel: '' });
      replaceChildren(
        body,
        kernelComparison(
          compareKernels(inOrder, kernels, selection.differencesOnly),
          kernels.map((profile) => ({ profile, release: releaseOf(index, profile) })),
          selection.differencesOnly,
          (differencesOnly) => change({ differencesOnly }),
        ),
      );
    } else {
      replaceChildren(body, caseList(shown, selection, kernels.length > 1, change));
    }
  };

  const element = h(
    'main',
    { class: 'overview' },
    h(
      'header',
      { class: 'run-head' },
      h('h1', {}, `${plural(cases.length, 'case')} in ${duration(summary.milliseconds)}`),
      h(
        'p',
        { class: 'quiet' },
        dateTime(summary.startedAt),
        ' · ',
        h('code', {}, `cxlrig ${summary.command.join(' ')}`),
      ),
      environment(summary.environment),
    ),
    h(
      'div',
      { class: 'filters' },
      chips,
      search,
      kernels.length > 1 && kernelSelect,
      topologies.length > 1 && topologySelect,
      kernels.length > 1 && views,
      count,
    ),
    body,
  );
  return {
    element,
    show,
    get shown() {
      return shown;
    },
    focusSearch: () => {
      search.focus();
      search.select();
    },
  };
}

function verdictChips(
  cases: readonly CaseEntry[],
  selection: Selection,
  change: (part: Partial<Selection>) => void,
): HTMLElement[] {
  const counts = countBy(cases, selection);
  const present = VERDICTS.filter((verdict) => cases.some((entry) => entry.verdict === verdict));
  return present.map((verdict) =>
    h(
      'button',
      {
        class: 'chip',
        type: 'button',
        'aria-pressed': String(selection.verdicts.includes(verdict)),
        onclick: () => change({ verdicts: toggled(selection.verdicts, verdict) }),
      },
      badge(verdict),
      h('b', {}, counts.get(verdict) ?? 0),
    ),
  );
}

function toggled(verdicts: readonly Verdict[], verdict: Verdict): Verdict[] {
  return verdicts.includes(verdict) ? verdicts.filter((one) => one !== verdict) : [...verdicts, verdict];
}

function viewButtons(selection: Selection, change: (part: Partial<Selection>) => void): HTMLElement[] {
  const button = (view: Selection['view'], text: string): HTMLElement =>
    h(
      'button',
      { type: 'button', 'aria-pressed': String(selection.view === view), onclick: () => change({ view }) },
      text,
    );
  return [button('list', 'List'), button('compare', 'Compare kernels')];
}

function choice(name: string, values: readonly string[], change: (value: string) => void): HTMLSelectElement {
  const select: HTMLSelectElement = h(
    'select',
    { 'aria-label': name, onchange: () => change(select.value) },
    h('option', { value: '' }, `${name}: all`),
    ...values.map((value) => h('option', { value }, value)),
  );
  return select;
}

function releaseOf({ summary }: PageIndex, profile: string): string {
  return summary.environment.kernels.find((kernel) => kernel.profile === profile)?.release ?? '';
}
