import { plural } from '../../../plural.js';
import type { StateChange } from '../../../../abi/state.js';
import { failedStep } from '../../../failed-step.js';
import type {
  Blame,
  CaseTrace,
  SplatRecord,
  StepFailure,
  StepTrace,
  SubtestResult,
} from '../../../../trace/trace.js';
import type { CaseContent } from '../../page-content.js';
import { badge } from '../frame/badge.js';
import { h, type Child } from '../frame/dom.js';
import { kernelLog } from './kernel-log.js';
import { START, type Moment } from './moments.js';
import { qmpTraffic } from './qmp-traffic.js';
import { sourceLines } from './source-lines.js';
import { bytes, compact, duration, stateValue } from '../frame/text.js';
import { typedLines } from './typed-lines.js';

/** Everything known about a moment, in one column: what failed first, then what was typed, and what came of it. */
export function momentDetails(moment: Moment, content: CaseContent): Child[] {
  if (moment.step) return stepDetails(moment.step, content);
  return moment.id === START ? startDetails(content) : endDetails(content);
}

function stepDetails(step: StepTrace, content: CaseContent): Child[] {
  const { trace } = content;
  const failure = step.failure ?? (step.outcome === 'fail' ? trace.failure : undefined);
  return [
    h(
      'div',
      { class: 'details-head' },
      h('h2', {}, h('span', { class: 'quiet' }, step.id), ' ', step.title),
      h('p', { class: 'quiet' }, `${step.kind} · ${step.outcome} · ${duration(step.milliseconds)}`),
    ),
    failure && failureBox(failure),
    ...step.splats.map(splatBox),
    section('Expected', step.kind === 'expect' ? undefined : 0, expectation(step)),
    section('Typed', step.lines.length, typedLines(step.lines)),
    section('Tests', step.subtests?.length ?? 0, subtestTable(step.subtests ?? [])),
    section('State changes', step.changes.length, changeTable(step.changes)),
    section('Kernel log', logLines(step.log), kernelLog(step.log)),
    ...evidenceDetails(step, trace),
    section('QMP', step.qmp.length, qmpTraffic(step.qmp, step.startedAt)),
    content.source !== undefined &&
      section('Scenario', undefined, sourceLines(content.source, step, trace.steps, failure?.position)),
  ];
}

/** What a further run of a failed case showed of the step. */
function evidenceDetails({ id }: StepTrace, { evidence, verdict }: CaseTrace): Child[] {
  const shown = evidence?.steps.find((step) => step.id === id);
  if (!evidence || !shown) return [];
  const remark =
    evidence.verdict === verdict
      ? ''
      : `There the case did not fail (${evidence.verdict}), so it may be another story.`;
  return [
    section(
      'Seen in a further run',
      undefined,
      h('p', { class: 'quiet' }, `With debug messages on, and calls recorded. ${remark}`),
      kernelLog(shown.log),
      shown.calls !== undefined && h('pre', { class: 'code' }, shown.calls),
    ),
  ];
}

function startDetails(content: CaseContent): Child[] {
  const { trace, repro } = content;
  const { description, references, values, scenario, title, position } = trace.case;
  const named = Object.entries(values);
  return [
    h('div', { class: 'details-head' }, h('h2', {}, title ?? scenario)),
    ...description
      .trim()
      .split(/\n\s*\n/)
      .map((paragraph) => h('p', { class: 'prose' }, paragraph)),
    references.length > 0 && h('ul', { class: 'references' }, ...references.map(referenceEntry)),
    h(
      'dl',
      { class: 'facts-list' },
      ...named.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, compact(value))]),
      h('dt', {}, 'scenario'),
      h('dd', {}, `${position.file}:${position.line}`),
      h('dt', {}, 'machine'),
      h(
        'dd',
        {},
        `${trace.machine.name}: ${plural(trace.machine.cpus, 'CPU')}, ${bytes(trace.machine.memoryBytes)} of memory`,
      ),
    ),
    repro !== undefined && section('repro.sh', undefined, copyable(repro)),
  ];
}

function endDetails({ trace, consoleTail }: CaseContent): Child[] {
  return [
    h(
      'div',
      { class: 'details-head' },
      h('h2', {}, `Verdict: ${trace.verdict}`),
      trace.reason !== undefined && h('p', { class: 'prose' }, trace.reason),
    ),
    trace.failure && !failedStep(trace) && failureBox(trace.failure),
    section('Left behind', trace.leftovers.length, changeTable(trace.leftovers)),
    ...trace.splats.map(splatBox),
    consoleTail !== undefined && section('Console, last lines', undefined, kernelLog(consoleTail)),
  ];
}

/** A section that has nothing to show is not there. */
function section(title: string, count: number | undefined, ...body: Child[]): Child {
  if (count === 0) return undefined;
  return h(
    'section',
    { class: 'part' },
    h('h3', {}, title, count !== undefined && h('span', { class: 'part-count' }, count)),
    ...body,
  );
}

function failureBox({ message, subject, expected, received, position, blame }: StepFailure): HTMLElement {
  return h(
    'div',
    { class: 'failure', role: 'note' },
    h('p', { class: 'failure-message' }, message),
    subject !== undefined && h('p', { class: 'failure-subject' }, h('code', {}, subject)),
    (expected !== undefined || received !== undefined) &&
      h(
        'dl',
        { class: 'verdict-pair' },
        h('dt', {}, 'expected'),
        h('dd', { class: 'expected' }, pretty(expected)),
        h('dt', {}, 'received'),
        h('dd', { class: 'received' }, pretty(received)),
      ),
    h(
      'p',
      { class: 'quiet' },
      `${position.file}:${position.line}:${position.column}`,
      blame !== 'kernel' && ` · ${BLAME[blame]}`,
    ),
  );
}

/** What the verdict makes of a failure that is not the kernel's. */
const BLAME: Readonly<Record<Exclude<Blame, 'kernel'>, string>> = {
  tool: 'the tool refused by itself',
  scenario: 'the scenario asks for what cannot be',
  emulator: 'QEMU could not do it',
  rig: 'the rig could not ask',
};

function splatBox({ kind, title, fingerprint, text, allowed }: SplatRecord): HTMLElement {
  return h(
    'details',
    { class: `splat ${allowed ? 'allowed' : ''}`, open: !allowed },
    h('summary', {}, h('b', {}, kind), ` ${title}`, allowed && h('span', { class: 'quiet' }, ' (allowed)')),
    h('p', { class: 'quiet' }, `fingerprint ${fingerprint}`),
    kernelLog(text),
  );
}

function changeTable(changes: readonly StateChange[]): HTMLElement {
  return h('div', { class: 'changes' }, ...changes.map(changeRow));
}

function changeRow({ path, keys, before, after }: StateChange): HTMLElement {
  const key = keys.at(-1) ?? '';
  const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return h(
    'div',
    { class: `change ${kind}` },
    h('span', { class: 'change-mark' }, { added: '+', removed: '−', changed: '±' }[kind]),
    h('code', { class: 'change-path' }, path),
    h(
      'span',
      {},
      before !== undefined && h('code', { class: 'before' }, stateValue(key, before)),
      kind === 'changed' && h('span', { class: 'quiet' }, ' → '),
      after !== undefined && h('code', { class: 'after' }, stateValue(key, after)),
    ),
  );
}

/** What a suite that the step ran said of its tests; those that failed first. */
function subtestTable(subtests: readonly SubtestResult[]): HTMLElement {
  const order = ['fail', 'skip', 'pass'] as const;
  const sorted = order.flatMap((verdict) => subtests.filter((one) => one.verdict === verdict));
  return h(
    'ul',
    { class: 'subtests' },
    ...sorted.map(({ name, verdict, reason }) =>
      h(
        'li',
        {},
        badge(verdict),
        h('code', {}, name),
        reason !== undefined && h('span', { class: 'quiet' }, reason),
      ),
    ),
  );
}

/** What an `expect` step asked for, its values put in. */
function expectation({ document, kind }: StepTrace): HTMLElement | undefined {
  if (kind !== 'expect' || typeof document !== 'object' || document === null) return undefined;
  const { expect } = document as { readonly expect?: Readonly<Record<string, unknown>> };
  const clauses = Object.entries(expect ?? {}).flatMap(([name, value]) =>
    [value].flat().map((clause): [string, unknown] => [name, clause]),
  );
  return h(
    'dl',
    { class: 'expectation' },
    ...clauses.flatMap(([name, clause]) => [h('dt', {}, name), h('dd', {}, stateValue('', clause))]),
  );
}

function copyable(text: string): HTMLElement {
  const button = h(
    'button',
    {
      type: 'button',
      class: 'copy',
      onclick: () => {
        void navigator.clipboard.writeText(text).then(() => {
          button.textContent = 'copied';
        });
      },
    },
    'copy',
  );
  return h('div', { class: 'copyable' }, button, h('pre', { class: 'code' }, text));
}

/** Only what is plainly a web address becomes a link. */
function referenceEntry(reference: string): HTMLElement {
  return /^https?:\/\/[^\s]+$/.test(reference)
    ? h('li', {}, h('a', { href: reference, rel: 'noreferrer' }, reference))
    : h('li', {}, reference);
}

function pretty(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value, null, 2) : compact(value);
}

function logLines(log: string): number {
  return log.split('\n').filter((line) => line.trim() !== '').length;
}
