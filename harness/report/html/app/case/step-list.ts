import type { CaseTrace, StepTrace } from '../../../../trace/trace.js';
import { breakable, h } from '../frame/dom.js';
import { END, START, type Moment } from './moments.js';
import { caseLink } from '../frame/route.js';
import { duration } from '../frame/text.js';

export interface StepList {
  readonly element: HTMLElement;
  choose(id: string): void;
}

const OUTCOME: Readonly<Record<StepTrace['outcome'], string>> = { pass: '✓', fail: '✕', skipped: '–' };

/** The steps with their place in the case's time: a bar under each says when it ran and for how long. */
export function stepList(key: string, trace: CaseTrace, moments: readonly Moment[]): StepList {
  const scale = timeScale(trace);
  const links = new Map(moments.map((moment) => [moment.id, link(key, moment, trace, scale)]));
  const element = h('nav', { class: 'step-list', 'aria-label': 'Steps' }, ...links.values());
  let chosen: HTMLElement | undefined;
  return {
    element,
    choose(id) {
      chosen?.removeAttribute('aria-current');
      chosen = links.get(id);
      chosen?.setAttribute('aria-current', 'step');
      chosen?.scrollIntoView({ block: 'nearest' });
    },
  };
}

type Scale = (step: StepTrace) => { readonly left: string; readonly width: string };

function link(key: string, { id, step }: Moment, trace: CaseTrace, scale: Scale): HTMLElement {
  const href = caseLink(key, id);
  if (!step) {
    const text = id === START ? 'Start' : 'End';
    const note = id === END ? endNote(trace) : `${trace.case.topology}, ${trace.case.kernel}`;
    return h(
      'a',
      { href, class: 'step edge', draggable: 'false' },
      h('span', { class: 'step-title' }, text),
      h('span', { class: 'step-kind' }, note),
    );
  }
  const { left, width } = scale(step);
  const depth = Math.max(0, id.replace(/^cleanup\./, '').split('.').length - 1);
  return h(
    'a',
    {
      href,
      class: `step ${step.outcome}`,
      draggable: 'false',
      style: { '--depth': String(depth), '--left': left, '--width': width },
    },
    h('span', { class: 'step-mark', 'aria-hidden': 'true' }, OUTCOME[step.outcome]),
    h('span', { class: 'step-id' }, id),
    h('span', { class: 'step-title' }, breakable(step.title)),
    h('span', { class: 'step-time' }, duration(step.milliseconds)),
    h('span', { class: 'step-kind' }, [step.kind, ...notes(step)].join(' · ')),
    h('span', { class: 'step-bar', 'aria-hidden': 'true' }),
  );
}

function notes({ outcome, splats, lines }: StepTrace): string[] {
  const refused = lines.flatMap(({ errno }) => errno ?? []);
  return [
    outcome === 'fail' ? 'failed' : '',
    outcome === 'skipped' ? 'skipped' : '',
    ...new Set(refused),
    splats.some(({ allowed }) => !allowed) ? 'kernel complained' : '',
  ].filter((note) => note !== '');
}

function endNote({ verdict, leftovers, splats }: CaseTrace): string {
  const parts = [
    leftovers.length > 0 ? `${leftovers.length} left behind` : '',
    splats.length > 0 ? `${splats.length} kernel ${splats.length === 1 ? 'splat' : 'splats'}` : '',
  ].filter((part) => part !== '');
  return parts.length > 0 ? parts.join(', ') : `verdict ${verdict}`;
}

/** Positions on the span from the first step's start to the last one's end; the boot before is left out. */
function timeScale({ steps }: CaseTrace): Scale {
  const start = Math.min(...steps.map(({ startedAt }) => startedAt));
  const end = Math.max(...steps.map(({ startedAt, milliseconds }) => startedAt + milliseconds));
  const total = Math.max(end - start, 1);
  return ({ startedAt, milliseconds }) => ({
    left: `${((100 * (startedAt - start)) / total).toFixed(2)}%`,
    width: `${((100 * milliseconds) / total).toFixed(2)}%`,
  });
}
