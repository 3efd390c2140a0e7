import { h } from '../frame/dom.js';

const COMPLAINT =
  /\b(BUG|WARNING|Oops|KASAN|KCSAN|UBSAN|panic|Call Trace|INFO: task|stall|lockup|RIP:|general protection)\b/;
const FAILURE = /\b(fail(ed|s|ure)?|error|denied|refus\w+|unable|stuck|invalid)\b/i;

/** The rig notes in the kernel log which line it types next. */
const OWN_NOTE = /^cxlrig: /;

function styleOf(text: string): string {
  if (OWN_NOTE.test(text)) return 'note';
  if (COMPLAINT.test(text)) return 'complaint';
  return FAILURE.test(text) ? 'warning' : '';
}

/** Lines of the kernel log: time stamps step back, complaints step forward. */
export function kernelLog(log: string): HTMLElement {
  return h(
    'pre',
    { class: 'log' },
    ...log
      .replace(/\s+$/, '')
      .split('\n')
      .map((line) => {
        const [, stamp = '', text = line] = /^(\s*(?:<\d+>)?\[\s*\d+\.\d+\]\s?)(.*)$/.exec(line) ?? [];
        const style = styleOf(text);
        return h('span', { class: `log-line ${style}` }, h('span', { class: 'stamp' }, stamp), `${text}\n`);
      }),
  );
}
