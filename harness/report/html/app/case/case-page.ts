import type { CaseContent, CaseEntry } from '../../page-content.js';
import { failedStep } from '../../../failed-step.js';
import { badge } from '../frame/badge.js';
import { caseName } from '../overview/case-list.js';
import { h, replaceChildren } from '../frame/dom.js';
import { drawMemoryMap } from '../machine/memory-map.js';
import { caseLink } from '../frame/route.js';
import { START, END, moments, type Moment } from './moments.js';
import { momentDetails } from './moment-details.js';
import { stepList } from './step-list.js';
import { duration } from '../frame/text.js';
import { drawTopology } from '../machine/topology-picture.js';

export interface CasePage {
  readonly element: HTMLElement;
  /** shows a moment of the case; the most telling one when it is not said which */
  show(step: string | undefined): void;
  /** by how many moments to go on or back; the address to go to */
  beside(distance: number): string | undefined;
  /** the address of the step that failed, when one did */
  readonly failed: string | undefined;
}

export interface Neighbours {
  readonly previous: CaseEntry | undefined;
  readonly next: CaseEntry | undefined;
  /** address of the overview as it was left */
  readonly overview: string;
}

/** A case: its steps on the left; on the right the state after the chosen one, and what was done and said in it. */
export function makeCasePage(entry: CaseEntry, content: CaseContent, neighbours: Neighbours): CasePage {
  const { trace } = content;
  const all = moments(content);
  const failed = failedStep(trace);
  const telling = failed?.id ?? (trace.steps.length === 0 || trace.verdict === 'pass' ? START : END);
  let current = 0;

  const stateTitle = h('h2', {});
  const map = h('div', { class: 'pane map-pane' });
  const picture = h('div', { class: 'pane' });
  const details = h('section', {
    class: 'details',
    tabindex: '-1',
    'aria-label': 'Details of the chosen step',
  });
  const list = stepList(entry.key, trace, all);

  const show = (step: string | undefined): void => {
    const wanted = all.findIndex(({ id }) => id === (step ?? telling));
    current = Math.max(wanted, 0);
    const moment = all[current];
    if (!moment) return;
    list.choose(moment.id);
    const { state, previous } = moment;
    replaceChildren(stateTitle, stateName(moment));
    if (state) replaceChildren(map, drawMemoryMap(state, previous));
    else replaceChildren(map, h('p', { class: 'quiet' }, 'No guest came up, so there is no state to show.'));
    replaceChildren(picture, drawTopology(trace.machine, state));
    replaceChildren(details, ...momentDetails(moment, content));
    details.scrollTop = 0;
  };

  const element = h(
    'main',
    { class: 'case-page' },
    header(entry, content, neighbours, failed && caseLink(entry.key, failed.id)),
    h(
      'div',
      { class: 'case-body' },
      list.element,
      h(
        'div',
        { class: 'case-main' },
        h(
          'section',
          { class: 'state', 'aria-label': 'State' },
          stateTitle,
          h('div', { class: 'panes' }, map, picture),
        ),
        details,
      ),
    ),
  );
  return {
    element,
    show,
    beside(distance) {
      const moment = all[Math.min(Math.max(current + distance, 0), all.length - 1)];
      return moment && caseLink(entry.key, moment.id);
    },
    failed: failed && caseLink(entry.key, failed.id),
  };
}

function stateName(moment: Moment): string {
  if (moment.id === START) return 'State before the first step';
  return moment.id === END ? 'State at the end' : `State after step ${moment.id}`;
}

function header(
  entry: CaseEntry,
  { trace, artifacts }: CaseContent,
  { previous, next, overview }: Neighbours,
  failed: string | undefined,
): HTMLElement {
  const { guest } = trace;
  const kernel = guest ? `${entry.kernel} ${guest.kernelRelease}` : entry.kernel;
  const boot =
    guest &&
    (guest.reused
      ? `guest reused, case ${guest.casesBefore + 1} on it`
      : `${guest.boot === 'resumed' ? 'resume' : 'boot'} ${duration(guest.bootMilliseconds)}`);
  return h(
    'header',
    { class: 'case-head' },
    h(
      'nav',
      { class: 'case-nav', 'aria-label': 'Cases' },
      h('a', { href: overview, class: 'back' }, '← All cases'),
      h('span', { class: 'steps-between' }, stepLink('‹ previous', previous), stepLink('next ›', next)),
    ),
    h('h1', {}, badge(entry.verdict), caseName(entry.name)),
    h(
      'p',
      { class: 'facts' },
      ...[kernel, entry.topology, guest?.accelerator, duration(entry.milliseconds), boot]
        .filter((fact) => fact !== undefined)
        .map((fact) => h('span', {}, fact)),
      ...artifacts.map((name) => h('a', { href: artifactLink(trace.artifacts, name) }, name)),
    ),
    trace.reason !== undefined &&
      h(
        'p',
        { class: `verdict-reason ${trace.verdict}` },
        trace.reason,
        failed !== undefined && h('a', { href: failed }, 'show the step'),
      ),
  );
}

function stepLink(text: string, entry: CaseEntry | undefined): HTMLElement {
  return entry
    ? h('a', { href: caseLink(entry.key), title: entry.name }, text)
    : h('span', { class: 'quiet', 'aria-hidden': 'true' }, text);
}

/** Folder names come from case ids: each part is encoded, so that none of it is taken for an address. */
function artifactLink(folder: string, name: string): string {
  return ['.', ...folder.split('/'), name].map(encodeURIComponent).join('/');
}
