import type { Change, ComparedCase, ComparedKernel, Comparison } from './comparison.js';
import { BAD_CHANGES, CHANGES } from './comparison.js';
import { differenceText, foldDifferences } from './fold.js';
import {
  byReason,
  conclusion,
  countedChange,
  countsText,
  failureLines,
  paceText,
  verdictsText,
} from './words.js';
import { trimSplat } from '../mail.js';

const MOST_DIFFERENCES = 12;
const MOST_FOLDED = 30;

/** The comparison as a comment for a review: what is bad is open, the rest folded away. */
export function comparisonMarkdown(comparison: Comparison): string {
  const { base, head, exitCode } = comparison;
  const sign = exitCode === 0 ? '✅' : exitCode === 1 ? '❌' : '⚠️';
  const pace = paceText(comparison);
  const parts = [
    [`### ${sign} cxlrig compare: ${conclusion(comparison)}`],
    [
      '| | release | kernel | from |',
      '| --- | --- | --- | --- |',
      kernelRow('base', base),
      kernelRow('head', head),
    ],
    [
      `${plain(countsText(comparison))}. QEMU ${plain(head.qemu)} (${plain(head.accelerator)}), cxlrig ${plain(head.cxlrig)}.`,
      ...(pace === undefined ? [] : [`${plain(capital(pace))}.`]),
    ],
    ...(Object.keys(CHANGES) as Change[]).flatMap((change) => section(comparison, change)),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function kernelRow(name: string, { release, profile, origin }: ComparedKernel): string {
  const cells = [name, release, profile, origin].map((cell) => plain(cell).replaceAll('|', '\\|'));
  return `| ${cells.join(' | ')} |`;
}

function section({ cases }: Comparison, change: Change): string[][] {
  const some = cases.filter((one) => one.change === change);
  if (some.length === 0) return [];
  const title = capital(countedChange(change, some.length));
  const body = change === 'behaviour' || change === 'timing' ? shared(some) : oneByOne(change, some);
  if (BAD_CHANGES.includes(change) && change !== 'lost-ability') return [[`#### ${title}`], ...body];
  return [[`<details><summary>${title}</summary>`], ...body, ['</details>']];
}

function oneByOne(change: Change, cases: readonly ComparedCase[]): string[][] {
  if (
    change === 'lost-ability' ||
    change === 'new-ability' ||
    change === 'not-asked' ||
    change === 'not-comparable'
  ) {
    return [...byReason(cases)].map(([reason, some]) => [
      `- ${plain(reason)}`,
      ...some.map(({ id }) => `  - ${code(id)}`),
    ]);
  }
  return cases.map((one) => {
    const { id, head, base } = one;
    const told = head?.failure ?? base?.failure;
    const folded = foldDifferences([one]);
    const left = folded.length - MOST_DIFFERENCES;
    const splats = one.differences.flatMap((difference) =>
      difference.kind === 'splat' && difference.on === 'head' ? [trimSplat(difference.text)] : [],
    );
    return [
      `**${code(id)}**: ${plain(verdictsText(one))}`,
      ...(told ? ['', ...fenced(failureLines(told))] : []),
      '',
      ...folded.slice(0, MOST_DIFFERENCES).map((entry) => `- ${plain(differenceText(entry))}`),
      ...(left > 0 ? [`- ... and ${left} more differences`] : []),
      ...splats.flatMap((splat) => ['', ...fenced(splat.split('\n'))]),
    ];
  });
}

function shared(cases: readonly ComparedCase[]): string[][] {
  const folded = foldDifferences(cases);
  const left = folded.length - MOST_FOLDED;
  return [
    [
      ...folded
        .slice(0, MOST_FOLDED)
        .map(
          (entry) =>
            `- ${plain(differenceText(entry))} (${entry.cases.length} of the cases: ${code(entry.cases[0] ?? '')})`,
        ),
      ...(left > 0 ? [`- ... and ${left} more differences`] : []),
    ],
  ];
}

/** A block of code whose fence no line can close. */
function fenced(lines: readonly string[]): string[] {
  const longest = Math.max(2, ...(lines.join('\n').match(/`+/g) ?? []).map((ticks) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return [fence, ...lines, fence];
}

function code(text: string): string {
  return text.includes('`') ? plain(text) : `\`${text}\``;
}

/** Text in which nothing is taken as markup, a mention or a link to an issue. */
function plain(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[@#](?=\w)/g, '$&<!-- -->');
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
