import { apartFromWaiting } from '../apart-from-waiting.js';
import { failedStep } from '../failed-step.js';
import type { CaseTrace, Verdict } from '../../trace/trace.js';
import type { Change } from './comparison.js';

type Answer = 'good' | 'bad' | 'declared' | 'none' | 'infra';

/** What a verdict says about the kernel. */
const ANSWERS: Readonly<Record<Verdict, Answer>> = {
  pass: 'good',
  fixed: 'good',
  fail: 'bad',
  'known-bug': 'declared',
  skip: 'none',
  infra: 'infra',
};

/**
 * What became of a case, by its verdicts; see CHANGES.
 * Two answers that are alike give `same`, two failures `changed-failure`: whether these differ, others find out.
 */
export function changeOf(base: Verdict | undefined, head: Verdict | undefined): Change {
  if (base === undefined || head === undefined) return 'not-comparable';
  return TABLE[ANSWERS[base]][ANSWERS[head]];
}

const TABLE: Readonly<Record<Answer, Readonly<Record<Answer, Change>>>> = {
  good: {
    good: 'same',
    bad: 'regression',
    declared: 'known-regression',
    none: 'lost-ability',
    infra: 'not-comparable',
  },
  bad: {
    good: 'fix',
    bad: 'changed-failure',
    declared: 'changed-failure',
    none: 'not-asked',
    infra: 'not-comparable',
  },
  declared: {
    good: 'fix',
    // the declaration is not for the head, and still it fails
    bad: 'changed-failure',
    declared: 'changed-failure',
    none: 'not-asked',
    infra: 'not-comparable',
  },
  none: {
    good: 'new-ability',
    bad: 'new-failure',
    declared: 'new-ability',
    none: 'same',
    infra: 'not-comparable',
  },
  infra: {
    good: 'not-comparable',
    bad: 'not-comparable',
    declared: 'not-comparable',
    none: 'not-comparable',
    infra: 'not-comparable',
  },
};

/**
 * Whether two failed cases failed alike: at the same step, about the same thing, with the same splats and leftovers.
 * What changes from boot to boot (how long was waited, numbers of devices, addresses) makes no difference.
 */
export function failedAlike(base: CaseTrace, head: CaseTrace): boolean {
  return signature(base) === signature(head);
}

function signature(trace: CaseTrace): string {
  const { failure, splats, leftovers, reason } = trace;
  const own = splats.filter(({ allowed }) => !allowed).map(({ fingerprint }) => fingerprint);
  return JSON.stringify([
    [...new Set(own)].sort(),
    failedStep(trace)?.id,
    // a panic's words are in its splat; without either, the reason is all there is
    failure ? plain(failure.message) : own.length > 0 ? '' : plain(reason ?? ''),
    failure?.subject === undefined ? undefined : plain(failure.subject),
    failure?.expected,
    typeof failure?.received === 'string' ? plain(failure.received) : failure?.received,
    leftovers.map(({ path }) => plain(path)).sort(),
  ]);
}

function plain(text: string): string {
  return apartFromWaiting(text)
    .replace(/0x[0-9a-f]+/gi, 'N')
    .replace(/\d+(?:\.\d+)?/g, 'N');
}
