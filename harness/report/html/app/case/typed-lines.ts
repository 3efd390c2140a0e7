import type { TypedLine } from '../../../../trace/trace.js';
import { h } from '../frame/dom.js';
import { duration } from '../frame/text.js';

const MOST_OUTPUT_LINES = 24;

/** The raw lines as a terminal shows them, each with what the kernel or the tool answered. */
export function typedLines(lines: readonly TypedLine[]): HTMLElement {
  return h('div', { class: 'terminal' }, ...lines.map(typedLine));
}

function typedLine({ text, channel, stdout, stderr, code, errno, milliseconds }: TypedLine): HTMLElement {
  const result = errno ?? exitText(code);
  return h(
    'div',
    { class: 'typed' },
    h('span', { class: 'prompt', 'aria-hidden': 'true' }, channel === 'qmp' ? 'qmp>' : '#'),
    h('pre', { class: 'line' }, text.trimEnd()),
    h(
      'span',
      { class: 'answer' },
      result !== '' && h('b', { class: 'refused' }, result),
      h('span', { class: 'quiet' }, duration(milliseconds)),
    ),
    output(stdout, 'stdout'),
    output(stderr, 'stderr'),
  );
}

function exitText(code: number | null | undefined): string {
  if (code === undefined) return 'no answer';
  if (code === null) return 'killed';
  return code === 0 ? '' : `exit ${code}`;
}

function output(text: string | undefined, stream: string): HTMLElement | undefined {
  const trimmed = text?.trimEnd() ?? '';
  if (trimmed === '') return undefined;
  const lines = trimmed.split('\n');
  if (lines.length <= MOST_OUTPUT_LINES) return h('pre', { class: stream }, trimmed);
  return h(
    'details',
    { class: 'long-output' },
    h('summary', {}, `${lines.length} lines of ${stream}`),
    h('pre', { class: stream }, trimmed),
  );
}
