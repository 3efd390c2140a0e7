import type { SourcePosition } from '../../../../scenario/case.js';
import type { StepTrace } from '../../../../trace/trace.js';
import { h } from '../frame/dom.js';

const LINES_AROUND = 2;

/** The step's own lines of the scenario, a little around them, and the line that failed marked. */
export function sourceLines(
  source: string,
  step: StepTrace,
  steps: readonly StepTrace[],
  failed: SourcePosition | undefined,
): HTMLElement {
  const lines = source.split('\n');
  const first = step.position.line;
  const later = steps.map(({ position }) => position.line).filter((line) => line > first);
  const last = Math.min(later.length > 0 ? Math.min(...later) - 1 : first + 12, lines.length);
  const from = Math.max(1, first - LINES_AROUND);
  const to = Math.min(lines.length, Math.max(last, failed?.line ?? 0) + LINES_AROUND);
  return h(
    'div',
    {},
    h('p', { class: 'quiet' }, `${step.position.file}:${first}`),
    h(
      'pre',
      { class: 'source' },
      ...lines.slice(from - 1, to).map((text, offset) => {
        const number = from + offset;
        const own = number >= first && number <= last;
        const style = number === failed?.line ? 'failed' : own ? 'own' : '';
        const mark = number === failed?.line ? '>' : ' ';
        return h(
          'span',
          { class: `source-line ${style}` },
          h('span', { class: 'line-number' }, `${mark}${String(number).padStart(4)} `),
          `${text}\n`,
        );
      }),
    ),
  );
}
