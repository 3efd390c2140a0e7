import { quote } from '../../base/sh-quote.js';
import type { Decoder } from '../decode.js';
import { mailCase, trimSplat } from '../mail.js';
import type { CaseTrace } from '../../trace/trace.js';
import { wrapped } from '../wrapped.js';
import {
  CHANGES,
  type Change,
  type ComparedCase,
  type ComparedKernel,
  type ComparedOutcome,
  type Comparison,
} from './comparison.js';
import { differenceText, foldDifferences } from './fold.js';
import { byReason, changeName, conclusion, countedChange, countsText, firstLine, paceText } from './words.js';

const MOST_DIFFERENCES = 8;
const MOST_SHARED = 12;
const MOST_IDS = 12;

/** Of these everything is told: what to type, what came of it, the trimmed splats. */
const IN_FULL: readonly Change[] = ['regression', 'new-failure', 'changed-failure', 'known-regression'];

/**
 * The comparison as text for a mailing list: what was tested and on what, the results, how to repeat it. Prose is
 * wrapped at 72 columns; lines to copy and of the kernel log are as long as they are.
 * @param traceOf the trace that an outcome was taken from
 * @param decoder puts file:line to the addresses of splats, where the head's vmlinux is at hand
 */
export async function comparisonMail(
  comparison: Comparison,
  traceOf: (outcome: ComparedOutcome) => CaseTrace | undefined,
  decoder?: Decoder,
): Promise<string> {
  const parts = [headLines(comparison)];
  for (const change of Object.keys(CHANGES) as Change[]) {
    const cases = comparison.cases.filter((one) => one.change === change);
    if (cases.length === 0) continue;
    if (IN_FULL.includes(change)) {
      for (const one of cases) parts.push(await fullLines(one, traceOf, decoder));
    } else parts.push(sectionLines(change, cases));
  }
  parts.push(reproductionLines(comparison));
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function headLines(comparison: Comparison): string[] {
  const { base, head } = comparison;
  const pace = paceText(comparison);
  const machine = `QEMU ${head.qemu} (${head.accelerator}) on ${head.host}, emulated CXL; cxlrig ${head.cxlrig}`;
  return [
    ...wrapped(`The same scenarios on both kernels: ${conclusion(comparison)}.`),
    '',
    ...kernelLines('base     ', base),
    ...kernelLines('head     ', head),
    ...wrapped(machine, { first: 'machine  ' }),
    ...(base.qemu === head.qemu
      ? []
      : wrapped(`the base ran on QEMU ${base.qemu}`, { indent: ' '.repeat(9) })),
    ...wrapped(countsText(comparison), { first: 'cases    ' }),
    ...(pace === undefined ? [] : wrapped(pace, { first: 'time     ' })),
  ];
}

function kernelLines(first: string, { release, profile, origin }: ComparedKernel): string[] {
  return wrapped(`${release} (${profile}: ${origin})`, { first });
}

async function fullLines(
  one: ComparedCase,
  traceOf: (outcome: ComparedOutcome) => CaseTrace | undefined,
  decoder: Decoder | undefined,
): Promise<string[]> {
  const { base, head } = one;
  const trace = head && traceOf(head);
  const was = base
    ? `${base.verdict}${base.reason === undefined ? '' : `: ${firstLine(base.reason)}`}`
    : 'not run';
  // splats of the head are in its own text
  const told = one.differences.filter(
    ({ kind, ...rest }) => kind !== 'splat' || ('on' in rest && rest.on === 'base'),
  );
  return [
    `${changeName(one.change).toUpperCase()}: ${one.id}`,
    ...wrapped(`on the base: ${was}; on the head:`, { indent: '  ' }),
    '',
    ...(trace ? await mailCase(trace, decoder) : []),
    ...differenceLines([{ ...one, differences: told }], MOST_DIFFERENCES),
  ];
}

function sectionLines(change: Change, cases: readonly ComparedCase[]): string[] {
  const title = `${capital(countedChange(change, cases.length))}:`;
  switch (change) {
    case 'lost-ability':
    case 'new-ability':
    case 'not-asked':
    case 'not-comparable':
      return [
        title,
        ...[...byReason(cases)].flatMap(([reason, some]) => [
          ...wrapped(reason, { indent: '  ' }),
          ...idLines(some),
        ]),
      ];
    case 'behaviour':
    case 'timing':
      return [title, ...differenceLines(cases, MOST_SHARED)];
    default:
      return [
        title,
        ...cases.flatMap((one) => [
          `  ${one.id}`,
          ...wrapped(firstLine(one.base?.reason ?? one.head?.reason ?? ''), { indent: '    ' }),
          ...one.differences.flatMap((difference) =>
            difference.kind === 'splat' && difference.on === 'base'
              ? trimSplat(difference.text)
                  .split('\n')
                  .map((line) => `    ${line}`)
              : [],
          ),
        ]),
      ];
  }
}

function differenceLines(cases: readonly ComparedCase[], most: number): string[] {
  const folded = foldDifferences(cases);
  if (folded.length === 0) return [];
  const left = folded.length - most;
  return [
    ...(cases.length > 1 ? [] : ['', '  Otherwise than on the base:']),
    ...folded.slice(0, most).flatMap((entry) => {
      const where =
        cases.length > 1
          ? ` (${entry.cases.length === 1 ? entry.cases[0] : `${entry.cases.length} cases`})`
          : '';
      return wrapped(`${differenceText(entry)}${where}`, { first: '  - ', indent: '    ' });
    }),
    ...(left > 0 ? [`  - ${left} more differences`] : []),
  ];
}

function idLines(cases: readonly ComparedCase[]): string[] {
  const left = cases.length - MOST_IDS;
  return [
    ...cases.slice(0, MOST_IDS).map(({ id }) => `    ${id}`),
    ...(left > 0 ? [`    and ${left} more cases`] : []),
  ];
}

function reproductionLines({ base, head, cases }: Comparison): string[] {
  const commands = [
    ...new Set([base, head].map(({ command }) => ['cxlrig', ...command].map(quote).join(' '))),
  ];
  const bad = cases.find(({ change }) => IN_FULL.includes(change));
  return [
    'To repeat it:',
    ...commands.map((command) => `    ${command}`),
    ...(bad?.head
      ? [
          'To get one case as a shell script with its QEMU command line:',
          `    cxlrig export ${quote(bad.head.key)}`,
        ]
      : []),
  ];
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
