import { relative } from 'node:path';
import { createColors } from '../../base/colors.js';
import type { TerminalStyle } from '../terminal.js';
import type { Change, ComparedCase, ComparedKernel, Comparison } from './comparison.js';
import { BAD_CHANGES, CHANGES } from './comparison.js';
import { differenceText, foldDifferences } from './fold.js';
import {
  byReason,
  changeName,
  conclusion,
  countedChange,
  countsText,
  failureLines,
  firstLine,
  paceText,
  timeText,
  verdictsText,
} from './words.js';

const MOST_DIFFERENCES = 12;
const MOST_CASES = 4;
const LABEL = 17;

/** Of these each case is told by itself; of the others what several have in common. */
const ONE_BY_ONE: readonly Change[] = [
  'regression',
  'new-failure',
  'changed-failure',
  'known-regression',
  'fix',
];

/** The comparison for people at a terminal: only what differs, the worst first. */
export function comparisonText(comparison: Comparison, style: TerminalStyle): string {
  const colors = createColors(style.color);
  const { base, head, exitCode } = comparison;
  const pace = paceText(comparison);
  const verdict = exitCode === 0 ? colors.green : exitCode === 1 ? colors.red : colors.yellow;
  return [
    kernelLine('base', base),
    kernelLine('head', head),
    ...(Object.keys(CHANGES) as Change[]).flatMap((change) => sectionLines(comparison, change, style)),
    '',
    ...(pace === undefined ? [] : [pace]),
    `${countsText(comparison)}: ${verdict(conclusion(comparison))}`,
    '',
  ].join('\n');
}

function kernelLine(name: string, { profile, release, origin }: ComparedKernel): string {
  return `${name}  ${release} (${profile}: ${firstLine(origin)})`;
}

function sectionLines({ cases }: Comparison, change: Change, style: TerminalStyle): string[] {
  const some = cases.filter((one) => one.change === change);
  if (some.length === 0) return [];
  if (ONE_BY_ONE.includes(change)) return some.flatMap((one) => ['', ...caseLines(one, style)]);
  const colors = createColors(style.color);
  const paint = BAD_CHANGES.includes(change) ? colors.red : colors.yellow;
  const title = paint(countedChange(change, some.length));
  return [
    '',
    title,
    ...(change === 'behaviour' || change === 'timing' ? sharedLines(some, style) : reasonLines(some, style)),
  ];
}

function caseLines(one: ComparedCase, style: TerminalStyle): string[] {
  const colors = createColors(style.color);
  const { change, id, base, head } = one;
  const paint = change === 'fix' ? colors.green : BAD_CHANGES.includes(change) ? colors.red : colors.yellow;
  const differences = foldDifferences([one]);
  const left = differences.length - MOST_DIFFERENCES;
  const told = head?.failure ?? (change === 'fix' ? base?.failure : undefined);
  return [
    `${paint(changeName(change).padEnd(LABEL))} ${id} ${colors.dim(`(${timeText(one)})`)}`,
    ...[
      colors.bold(verdictsText(one)),
      ...(told ? failureLines(told) : []),
      ...(change === 'changed-failure' && base?.reason !== undefined
        ? [`on base   ${firstLine(base.reason)}`]
        : []),
      ...differences.slice(0, MOST_DIFFERENCES).map((folded) => `differs   ${differenceText(folded)}`),
      ...(left > 0 ? [`          ... ${left} more with --format json`] : []),
      ...(head ? [`artifacts ${relative(process.cwd(), head.run)}/${head.artifacts}`] : []),
    ].map((line) => `  ${line}`),
  ];
}

/** Cases that one of the kernels could not be asked, by the reason. */
function reasonLines(cases: readonly ComparedCase[], style: TerminalStyle): string[] {
  const colors = createColors(style.color);
  return [...byReason(cases)].flatMap(([reason, some]) => [
    `  ${reason}`,
    ...some.map(({ id }) => colors.dim(`    ${id}`)),
  ]);
}

/** What differs in cases that came to the same verdict, each difference once. */
function sharedLines(cases: readonly ComparedCase[], style: TerminalStyle): string[] {
  const colors = createColors(style.color);
  return foldDifferences(cases).flatMap((folded) => {
    const { cases: ids } = folded;
    const left = ids.length - MOST_CASES;
    return [
      `  ${differenceText(folded)}`,
      ...ids.slice(0, MOST_CASES).map((id) => colors.dim(`    ${id}`)),
      ...(left > 0 ? [colors.dim(`    ... and ${left} more cases`)] : []),
    ];
  });
}
