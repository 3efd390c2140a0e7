import { makeCasePage, type CasePage } from './case/case-page.js';
import { readCase, readIndex } from './frame/content.js';
import { h, replaceChildren } from './frame/dom.js';
import { listenToKeys } from './frame/keyboard.js';
import { makeOverview } from './overview/overview.js';
import { caseLink, overviewLink, parseRoute } from './frame/route.js';
import { themeButton } from './frame/theme.js';

const index = readIndex();
const view = h('div', { class: 'view' });
const theme = themeButton();
let overviewQuery = new URLSearchParams();
let open: { readonly key: string; readonly page: CasePage } | undefined;

const overview = makeOverview(index, (query) => {
  // typing into the filter must not fill the history
  history.replaceState(null, '', overviewLink(query));
  void showRoute();
});
overview.show(overviewQuery);

async function showRoute(): Promise<void> {
  const route = parseRoute(location.hash);
  if (route.page === 'case') {
    await showCase(route.key, route.step);
    return;
  }
  const left = open?.key;
  open = undefined;
  overviewQuery = route.query;
  overview.show(route.query);
  document.title = 'cxlrig report';
  if (!overview.element.isConnected) {
    replaceChildren(view, overview.element);
    if (left !== undefined) focusRow(rows().findIndex((row) => row.getAttribute('href') === caseLink(left)));
  }
}

async function showCase(key: string, step: string | undefined): Promise<void> {
  if (open?.key === key) {
    open.page.show(step);
    return;
  }
  const position = index.cases.findIndex((entry) => entry.key === key);
  const entry = index.cases[position];
  if (!entry) {
    open = undefined;
    replaceChildren(
      view,
      h(
        'main',
        { class: 'overview' },
        h(
          'p',
          { class: 'nothing' },
          `There is no case ${key} in this run. `,
          h('a', { href: '#' }, 'Show all'),
        ),
      ),
    );
    return;
  }
  const content = await readCase(position);
  // another place may have been asked for meanwhile
  const now = parseRoute(location.hash);
  if (now.page !== 'case' || now.key !== key) return;
  const at = overview.shown.indexOf(entry);
  const page = makeCasePage(entry, content, {
    previous: at > 0 ? overview.shown[at - 1] : undefined,
    next: at >= 0 ? overview.shown[at + 1] : undefined,
    overview: overviewLink(overviewQuery),
  });
  open = { key, page };
  document.title = `${entry.verdict}: ${entry.name}`;
  replaceChildren(view, page.element);
  page.show(step);
  scrollTo(0, 0);
}

function rows(): HTMLElement[] {
  const all = [...view.querySelectorAll<HTMLElement>('a.case-row, a.compared')];
  return all.filter((row) => row.closest('details:not([open])') === null);
}

function focusRow(position: number): void {
  const all = rows();
  const row = all[Math.min(Math.max(position, 0), all.length - 1)];
  row?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}

function goTo(link: string | undefined): void {
  if (link === undefined) return;
  // a walk through the steps is one stop on the way back
  if (open && link.startsWith(`${caseLink(open.key)}/`)) {
    history.replaceState(null, '', link);
    void showRoute();
  } else {
    location.hash = link;
  }
}

const help = listenToKeys({
  move(distance) {
    if (open) goTo(open.page.beside(distance));
    else {
      const at = rows().indexOf(document.activeElement as HTMLElement);
      focusRow(at < 0 ? 0 : at + distance);
    }
  },
  edge(end) {
    if (open) goTo(open.page.beside(end ? Infinity : -Infinity));
    else focusRow(end ? Infinity : 0);
  },
  open() {
    if (!open)
      (document.activeElement as HTMLElement | null)?.closest<HTMLElement>('a.case-row, a.compared')?.click();
  },
  back() {
    if (open) location.hash = overviewLink(overviewQuery);
  },
  search() {
    if (open) location.hash = overviewLink(overviewQuery);
    void showRoute().then(() => overview.focusSearch());
  },
  failure() {
    goTo(open?.page.failed);
  },
  beside(distance) {
    const at = overview.shown.findIndex(({ key }) => key === open?.key);
    const entry = open && overview.shown[at + distance];
    if (entry) goTo(caseLink(entry.key));
  },
  theme: () => theme.next(),
});

document.body.append(
  h(
    'div',
    { class: 'page-tools' },
    h('button', { type: 'button', onclick: () => help.showModal() }, 'Keys: ?'),
    theme.element,
  ),
  view,
  help,
);
addEventListener('hashchange', () => void showRoute());
void showRoute();
