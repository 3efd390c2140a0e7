import type { Change, ComparedCase, ComparedFailure, Comparison } from './comparison.js';
import { seconds } from '../terminal.js';

/** How a change is called before a number of cases: `2 regressions`. */
const NAMES: Readonly<Record<Change, readonly [one: string, many: string]>> = {
  regression: ['regression', 'regressions'],
  'lost-ability': ['lost ability', 'lost abilities'],
  'new-failure': ['new failure', 'new failures'],
  'changed-failure': ['changed failure', 'changed failures'],
  'known-regression': ['known regression', 'known regressions'],
  fix: ['fix', 'fixes'],
  'new-ability': ['new ability', 'new abilities'],
  'not-asked': ['failure that the head cannot be asked for', 'failures that the head cannot be asked for'],
  'not-comparable': ['case not compared', 'cases not compared'],
  behaviour: [
    'case with other behaviour and the same verdict',
    'cases with other behaviour and the same verdict',
  ],
  timing: ['case of another duration', 'cases of another duration'],
  same: ['case alike', 'cases alike'],
};

export function changeName(change: Change): string {
  return NAMES[change][0];
}

export function countedChange(change: Change, count: number): string {
  return `${count} ${NAMES[change][count === 1 ? 0 : 1]}`;
}

/** `102 cases: 2 regressions, 1 fix, 99 cases alike` */
export function countsText({ counts }: Comparison): string {
  const entries = Object.keys(NAMES).flatMap((name) => {
    const count = counts[name as Change] ?? 0;
    return count > 0 ? [countedChange(name as Change, count)] : [];
  });
  return entries.join(', ');
}

/** What the exit code says, as a sentence for the head line. */
export function conclusion({ exitCode, counts }: Comparison): string {
  if (exitCode === 0) return 'no regression';
  if (exitCode === 3) {
    const isAll = Object.keys(counts).every((change) => change === 'not-comparable');
    return isAll ? 'nothing could be compared' : 'no regression in what could be compared';
  }
  return (['regression', 'lost-ability', 'new-failure'] as const)
    .flatMap((change) => (counts[change] ? [countedChange(change, counts[change])] : []))
    .join(', ');
}

/** `pass -> fail: <why>` with the reason of whichever is not well. */
export function verdictsText({ base, head }: ComparedCase): string {
  const was = base?.verdict ?? 'not run';
  const is = head?.verdict ?? 'not run';
  const why = head?.reason ?? base?.reason;
  return `${was === is ? was : `${was} -> ${is}`}${why === undefined ? '' : `: ${firstLine(why)}`}`;
}

/** Where and how a case failed, line by line. */
export function failureLines({ step, place, subject, expected, received }: ComparedFailure): string[] {
  return [
    ...(step === undefined ? [] : [`step      ${step}`]),
    ...(place === undefined ? [] : [`at        ${place}`]),
    ...(subject === undefined ? [] : [`subject   ${subject}`]),
    ...(expected === undefined ? [] : [`expected  ${text(expected)}`]),
    ...(received === undefined ? [] : [`received  ${text(received)}`]),
  ];
}

/** Cases that one kernel could not be asked, by the reason that is given for it. */
export function byReason(cases: readonly ComparedCase[]): Map<string, readonly ComparedCase[]> {
  const groups = new Map<string, ComparedCase[]>();
  for (const one of cases) {
    const reason = reasonOf(one);
    groups.set(reason, [...(groups.get(reason) ?? []), one]);
  }
  return groups;
}

function reasonOf({ base, head }: ComparedCase): string {
  if (!base) return 'not run on the base';
  if (!head) return 'not run on the head';
  const unasked = [base, head].find(({ verdict }) => verdict === 'skip' || verdict === 'infra');
  return firstLine(unasked?.reason ?? '');
}

/** What the head takes longer for in general, when it is worth a word. */
export function paceText({ pace }: Comparison): string | undefined {
  if (pace < 1.5 && pace > 1 / 1.5) return undefined;
  return pace > 1
    ? `in general the head takes ${pace.toFixed(1)} times as long as the base`
    : `in general the base takes ${(1 / pace).toFixed(1)} times as long as the head`;
}

export function timeText({ base, head }: ComparedCase): string {
  return `${base ? seconds(base.milliseconds) : '-'} -> ${head ? seconds(head.milliseconds) : '-'}`;
}

export function firstLine(words: string): string {
  return words.split('\n')[0] ?? '';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
