import { h } from './dom.js';

/** What the keys do; the pages say how. */
export interface Actions {
  move(distance: number): void;
  edge(end: boolean): void;
  open(): void;
  back(): void;
  search(): void;
  failure(): void;
  beside(distance: number): void;
  theme(): void;
}

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ['j  ↓', 'next step or case'],
  ['k  ↑', 'previous step or case'],
  ['Home  End', 'first, last'],
  ['Enter  →', 'open the case'],
  ['Esc  ←', 'back to all cases'],
  ['f', 'the step that failed'],
  ['[  ]', 'previous, next case'],
  ['/', 'filter the cases'],
  ['t', 'theme: system, light, dark'],
  ['?', 'this list'],
];

/** Listens to the keyboard. @returns the dialog with the list of keys, to be put into the page */
export function listenToKeys(actions: Actions): HTMLDialogElement {
  const help: HTMLDialogElement = h(
    'dialog',
    { class: 'keys', onclick: () => help.close() },
    h('h2', {}, 'Keys'),
    h(
      'dl',
      {},
      ...KEYS.flatMap(([keys, what]) => [
        h('dt', {}, ...keys.split('  ').map((key) => h('kbd', {}, key))),
        h('dd', {}, what),
      ]),
    ),
  );
  const commands: Readonly<Record<string, () => void>> = {
    j: () => actions.move(1),
    ArrowDown: () => actions.move(1),
    k: () => actions.move(-1),
    ArrowUp: () => actions.move(-1),
    Home: () => actions.edge(false),
    End: () => actions.edge(true),
    Enter: () => actions.open(),
    ArrowRight: () => actions.open(),
    Escape: () => actions.back(),
    ArrowLeft: () => actions.back(),
    f: () => actions.failure(),
    '[': () => actions.beside(-1),
    ']': () => actions.beside(1),
    '/': () => actions.search(),
    t: () => actions.theme(),
    '?': () => help.showModal(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const target = event.target instanceof HTMLElement ? event.target : undefined;
    if (target?.matches('input[type=search]') === true) {
      if (event.key === 'Escape' || event.key === 'Enter' || event.key === 'ArrowDown') {
        target.blur();
        if (event.key !== 'Escape') actions.edge(false);
        event.preventDefault();
      }
      return;
    }
    if (target?.matches('select, input, textarea') === true) return;
    // a focused control or link knows best what Enter is for
    if (event.key === 'Enter' && target?.matches('button, a, summary') === true) return;
    const command = commands[event.key];
    if (!command) return;
    event.preventDefault();
    command();
  });
  return help;
}
