import type { Fault } from './case-knowledge.js';
import type { StepDocument, StepKind } from './language.js';

/** Keys that stand beside a step kind and mean something with some kinds only. */
export type CommonKey = 'fails' | 'may-fail' | 'timeout';

const TYPES_LINES = ['fails', 'may-fail', 'timeout'] as const;

/** Which of them each kind honours. `name`, `when` and `allow-splats` stand with every kind. */
const HONOURED: { readonly [K in StepKind]: readonly CommonKey[] } = {
  'create-region': TYPES_LINES,
  'destroy-region': TYPES_LINES,
  bind: TYPES_LINES,
  unbind: TYPES_LINES,
  'new-id': TYPES_LINES,
  'remove-id': TYPES_LINES,
  write: TYPES_LINES,
  read: TYPES_LINES,
  'memory-block': TYPES_LINES,
  module: TYPES_LINES,
  cxl: TYPES_LINES,
  daxctl: TYPES_LINES,
  ndctl: TYPES_LINES,
  exec: TYPES_LINES,
  'copy-out': TYPES_LINES,
  qmp: [],
  'hot-add': ['timeout'],
  'hot-remove': TYPES_LINES,
  inject: [],
  'add-capacity': [],
  'release-capacity': [],
  capture: [],
  snapshot: [],
  expect: [],
  reboot: [],
  parallel: ['timeout'],
  repeat: ['timeout'],
};

const INSTEAD: { readonly [K in StepKind]?: { readonly [C in CommonKey]?: string } } = {
  capture: { timeout: 'it waits as long as its `within` says' },
  expect: {
    timeout: 'it waits as long as its `within` says',
    fails: 'what must not be is written as an expectation of its own: `count: 0`, `absent`',
  },
  reboot: { timeout: 'a reboot has the deadline of a boot' },
  parallel: { fails: 'write it on the steps of the branches' },
  repeat: { fails: 'write it on the steps that are repeated' },
};

/** As LANGUAGE.md has them. */
export function honouredKeys(kind: StepKind): readonly CommonKey[] {
  return HONOURED[kind];
}

/** Common keys that would mean nothing on this step. */
export function faultsOfCommonKeys(kind: StepKind, step: StepDocument): Fault[] {
  const keys: readonly CommonKey[] = ['fails', 'may-fail', 'timeout'];
  return keys
    .filter((key) => step[key] !== undefined && !HONOURED[kind].includes(key))
    .map((key) => {
      const hint = INSTEAD[kind]?.[key === 'may-fail' ? 'fails' : key];
      return {
        path: [key],
        message: `\`${key}\` means nothing on \`${kind}\``,
        ...(hint !== undefined && { hint }),
      };
    });
}
