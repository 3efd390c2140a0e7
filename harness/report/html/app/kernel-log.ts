import { h } from './dom.js';

const COMPLAINT =
  /\b(BUG|WARNING|Oops|KASAN|KCSAN|UBSAN|panic|Call Trace|INFO: task|stall|lockup|RIP:|general protection)\b/;
const FAILURE = /\b(fail(ed|s|ure)?|error|denied|refus\w+|unable|stuck|invalid)\b/i;

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
        const style = COMPLAINT.test(text) ? 'complaint' : FAILURE.test(text) ? 'warning' : '';
        return h('span', { class: `log-line ${style}` }, h('span', { class: 'stamp' }, stamp), `${text}\n`);
      }),
  );
}
