import type { Verdict } from '../../../../trace/trace.js';
import type { CaseEntry } from '../../page-content.js';

/** What the overview shows of a run, and in which order. */
export interface Selection {
  readonly verdicts: readonly Verdict[];
  readonly kernel: string;
  readonly topology: string;
  readonly text: string;
  readonly sort: SortKey;
  readonly descending: boolean;
  readonly view: 'list' | 'compare';
  readonly differencesOnly: boolean;
}

export type SortKey = 'verdict' | 'order' | 'name' | 'kernel' | 'topology' | 'steps' | 'time';

/** Most in need of a look first; what was not asked last. */
export const VERDICTS: readonly Verdict[] = ['fail', 'infra', 'fixed', 'known-bug', 'pass', 'skip'];

const SORT_KEYS: readonly SortKey[] = ['verdict', 'order', 'name', 'kernel', 'topology', 'steps', 'time'];

/** Reads a selection from the address. What is not valid there is as if it were not there. */
export function parseSelection(query: URLSearchParams): Selection {
  const wanted = (query.get('verdict') ?? '').split(',');
  const sort = SORT_KEYS.find((key) => key === query.get('sort')) ?? 'verdict';
  return {
    verdicts: VERDICTS.filter((verdict) => wanted.includes(verdict)),
    kernel: query.get('kernel') ?? '',
    topology: query.get('topology') ?? '',
    text: query.get('q') ?? '',
    sort,
    descending: query.get('desc') === '1',
    view: query.get('view') === 'compare' ? 'compare' : 'list',
    differencesOnly: query.get('differences') === '1',
  };
}

export function selectionQuery(selection: Selection): URLSearchParams {
  const query = new URLSearchParams();
  const set = (key: string, value: string, standard = ''): void => {
    if (value !== standard) query.set(key, value);
  };
  set('q', selection.text);
  set('verdict', selection.verdicts.join(','));
  set('kernel', selection.kernel);
  set('topology', selection.topology);
  set('sort', selection.sort, 'verdict');
  set('desc', selection.descending ? '1' : '');
  set('view', selection.view, 'list');
  set('differences', selection.differencesOnly ? '1' : '');
  return query;
}

/** The cases that the selection lets through, sorted; equal ones stay in the order in which they ran. */
export function select(cases: readonly CaseEntry[], selection: Selection): CaseEntry[] {
  const chosen = cases.filter(
    (entry) =>
      (selection.verdicts.length === 0 || selection.verdicts.includes(entry.verdict)) &&
      matches(entry, selection),
  );
  const sign = selection.descending ? -1 : 1;
  const compare = COMPARE[selection.sort];
  return selection.sort === 'order' && !selection.descending
    ? chosen
    : chosen
        .map((entry, index) => ({ entry, index }))
        .sort((a, b) => sign * (compare(a.entry, b.entry) || a.index - b.index))
        .map(({ entry }) => entry);
}

/** Of every verdict, how many cases the rest of the selection lets through. */
export function countBy(cases: readonly CaseEntry[], selection: Selection): Map<Verdict, number> {
  const counts = new Map<Verdict, number>();
  for (const entry of cases) {
    if (matches(entry, selection)) counts.set(entry.verdict, (counts.get(entry.verdict) ?? 0) + 1);
  }
  return counts;
}

export interface ComparedCase {
  readonly name: string;
  readonly title: string;
  /** by kernel */
  readonly entries: ReadonlyMap<string, CaseEntry>;
  /** whether the kernels disagree */
  readonly differs: boolean;
}

/** The same case on every kernel in one row. */
export function compareKernels(
  entries: readonly CaseEntry[],
  kernels: readonly string[],
  differencesOnly: boolean,
): ComparedCase[] {
  const byName = new Map<string, Map<string, CaseEntry>>();
  for (const entry of entries) {
    const row = byName.get(entry.name) ?? new Map<string, CaseEntry>();
    row.set(entry.kernel, entry);
    byName.set(entry.name, row);
  }
  return [...byName]
    .map(([name, row]) => ({
      name,
      title: [...row.values()][0]?.title ?? '',
      entries: row,
      differs: new Set(kernels.map((kernel) => row.get(kernel)?.verdict)).size > 1,
    }))
    .filter(({ differs }) => differs || !differencesOnly);
}

function matches(entry: CaseEntry, { kernel, topology, text }: Selection): boolean {
  return (
    (kernel === '' || entry.kernel === kernel) &&
    (topology === '' || entry.topology === topology) &&
    containsAll(entry, text)
  );
}

function containsAll(entry: CaseEntry, text: string): boolean {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return true;
  const haystack =
    `${entry.key} ${entry.title} ${entry.kernel} ${entry.topology} ${entry.verdict} ${entry.reason ?? ''}`.toLowerCase();
  return words.every((word) => haystack.includes(word));
}

const byText =
  (value: (entry: CaseEntry) => string) =>
  (a: CaseEntry, b: CaseEntry): number =>
    value(a).localeCompare(value(b), 'en', { numeric: true });

const COMPARE: Readonly<Record<SortKey, (a: CaseEntry, b: CaseEntry) => number>> = {
  verdict: (a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict),
  order: () => 0,
  name: byText(({ key }) => key),
  kernel: byText(({ kernel }) => kernel),
  topology: byText(({ topology }) => topology),
  steps: (a, b) => a.steps - b.steps,
  time: (a, b) => a.milliseconds - b.milliseconds,
};
