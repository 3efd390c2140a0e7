import type { QmpTraffic } from '../../../../guest/guest.js';
import { h } from '../frame/dom.js';
import { duration } from '../frame/text.js';

const ARROW: Readonly<Record<QmpTraffic['direction'], string>> = {
  command: '→',
  return: '←',
  error: '←',
  event: '⚑',
};

/** Messages to and from QEMU with their time since the step's start; a click shows one in full. */
export function qmpTraffic(traffic: readonly QmpTraffic[], startedAt: number): HTMLElement {
  return h(
    'div',
    { class: 'qmp' },
    ...traffic.map(({ at, direction, message }) =>
      h(
        'details',
        { class: `qmp-message ${direction}` },
        h(
          'summary',
          {},
          h('span', { class: 'quiet' }, `+${duration(Math.max(at - startedAt, 0))}`),
          h('span', {}, `${ARROW[direction]} ${direction}`),
          h('code', {}, JSON.stringify(message)),
        ),
        h('pre', { class: 'code' }, JSON.stringify(message, null, 2)),
      ),
    ),
  );
}
