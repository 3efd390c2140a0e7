import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createColors, printable } from '../base/colors.js';
import { codeFrame, type SourcePosition } from '../base/document/diagnostic.js';
import { kernelLines } from './kernel-lines.js';
import { plural } from './plural.js';
import { skippedByReason, skippedLine } from './skips.js';
import { failedStep } from './failed-step.js';
import type { CaseTrace, RunSummary, StepFailure, StepTrace, TypedLine, Verdict } from '../trace/trace.js';

/** Text for people at a terminal, made from traces. `color` off gives plain text for logs. */
export interface TerminalStyle {
  readonly color: boolean;
}

const MOST_LINES_OF_LOG = 12;
const MOST_LINES_TYPED = 6;
const MOST_LINES_PRINTED = 6;
const MOST_BESIDES = 3;

const MARK: Readonly<Record<Verdict, string>> = {
  pass: 'ok',
  fail: 'FAIL',
  skip: 'skip',
  'known-bug': 'known',
  fixed: 'FIXED',
  infra: 'INFRA',
};

/** One line a case; for what is not well, everything needed to see why. */
export function caseText(trace: CaseTrace, runDir: string, style: TerminalStyle): string {
  return printable(paintedCase(trace, runDir, style));
}

function paintedCase(trace: CaseTrace, runDir: string, style: TerminalStyle): string {
  const colors = createColors(style.color);
  const paint = {
    pass: colors.green,
    fail: colors.red,
    skip: colors.yellow,
    'known-bug': colors.yellow,
    fixed: colors.magenta,
    infra: colors.red,
  }[trace.verdict];
  const boot = bootText(trace.guest);
  const head = `${paint(MARK[trace.verdict].padEnd(5))} ${trace.case.id} ${colors.dim(`(${seconds(trace.milliseconds)}${boot})`)}`;
  if (trace.verdict === 'pass') return head;
  if (trace.verdict === 'skip' || trace.verdict === 'known-bug') {
    return `${head}\n      ${colors.dim(trace.reason ?? '')}`;
  }
  return [
    head,
    ...failureText(trace, runDir, style).map((line) => (line === '' ? '' : `      ${line}`)),
  ].join('\n');
}

function bootText(guest: CaseTrace['guest']): string {
  if (!guest || guest.reused) return '';
  const how = guest.boot === 'resumed' ? 'resume' : 'boot';
  const why = guest.fellBack ? ` as ${guest.bootReason ?? 'it could not be resumed'}` : '';
  return `, ${how} ${seconds(guest.bootMilliseconds)}${why}`;
}

function failureText(trace: CaseTrace, runDir: string, style: TerminalStyle): string[] {
  const colors = createColors(style.color);
  const { failure, besides = [] } = trace;
  const step = failedStep(trace);
  return [
    ...(trace.reason ?? trace.verdict).split('\n').map((line) => colors.bold(line)),
    ...(failure ? frame(failure.position) : []),
    ...(step ? [`${colors.dim('step     ')} ${step.id} ${step.title}`, ...typed(step, style)] : []),
    ...(failure?.subject === undefined ? [] : [`${colors.dim('subject  ')} ${failure.subject}`]),
    ...pair('expected', failure?.expected, style),
    ...pair('received', failure?.received, style),
    ...(step ? kernelLog(step, style) : []),
    ...besides.slice(0, MOST_BESIDES).map((other) => `${colors.dim('besides  ')} ${alsoFailed(other)}`),
    ...evidenceText(trace, style),
    `${colors.dim('artifacts')} ${relative(process.cwd(), runDir) || '.'}/${trace.artifacts}`,
    '',
  ];
}

const MOST_LINES_OF_EVIDENCE = 6;

/** What the kernel said of the failed step in a further run that it does not say by itself. */
function evidenceText({ evidence, ...trace }: CaseTrace, style: TerminalStyle): string[] {
  const colors = createColors(style.color);
  const id = failedStep(trace)?.id;
  const shown = evidence?.steps.find((step) => step.id === id);
  if (!evidence || !shown) return [];
  const lines = kernelLines(shown.log);
  const calls = shown.calls === undefined ? '' : ', and the calls of its writes';
  return [
    `${colors.dim('evidence ')} a further run with debug messages (${evidence.verdict}): ${plural(lines.length, 'line')} of the kernel in this step${calls}`,
    ...lines.slice(-MOST_LINES_OF_EVIDENCE).map((line) => `${colors.dim('debug    ')} ${line}`),
  ];
}

/** What failed after that, or before: its own evidence is in the report. */
function alsoFailed({ step, message, position }: StepFailure): string {
  const line = message.split('\n')[0] ?? '';
  const what =
    step === undefined
      ? ''
      : step.startsWith('cleanup')
        ? `${step} failed too: `
        : `step ${step} failed too: `;
  return `${what}${line} (${relative(process.cwd(), position.file) || position.file}:${position.line})`;
}

function frame(position: SourcePosition): string[] {
  const place = `${relative(process.cwd(), position.file) || position.file}:${position.line}:${position.column}`;
  return [place, ...sourceFrame(position)];
}

function sourceFrame(position: SourcePosition): string[] {
  try {
    return codeFrame(position, readFileSync(position.file, 'utf8')).split('\n');
  } catch {
    return [];
  }
}

function typed(step: StepTrace, style: TerminalStyle): string[] {
  const colors = createColors(style.color);
  const shown = step.lines.slice(-MOST_LINES_TYPED);
  return shown.flatMap((line) => {
    const { text, errno, code } = line;
    const result = errno ?? (code === 0 || code === undefined ? '' : `exit ${code}`);
    return [
      `${colors.dim('typed    ')} ${text.trimEnd().replaceAll('\n', '\n                ')}${result ? colors.red(`   -> ${result}`) : ''}`,
      ...(result === '' ? [] : lastPrinted(line).map((text) => `${colors.dim('printed  ')} ${text}`)),
    ];
  });
}

/** The end of standard output. (What a refused line complains of is told in the failure's message.) */
function lastPrinted({ stdout = '' }: TypedLine): string[] {
  const lines = stdout.split('\n').filter((text) => /[^\s\p{C}]/u.test(text));
  return lines.slice(-MOST_LINES_PRINTED);
}

function pair(name: string, value: unknown, style: TerminalStyle): string[] {
  if (value === undefined) return [];
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return [`${createColors(style.color).dim(name.padEnd(9))} ${text}`];
}

function kernelLog(step: StepTrace, style: TerminalStyle): string[] {
  const colors = createColors(style.color);
  const lines = step.log.split('\n').filter((line) => line.trim() !== '');
  const left = lines.length - MOST_LINES_OF_LOG;
  return [
    ...lines.slice(0, MOST_LINES_OF_LOG).map((line) => `${colors.dim('kernel   ')} ${line}`),
    ...(left > 0 ? [colors.dim(`          ... ${left} more lines in dmesg.log`)] : []),
  ];
}

/** The last lines of a run: what came of it, where to look. */
export function summaryText(
  summary: RunSummary,
  traces: readonly Pick<CaseTrace, 'verdict' | 'reason'>[],
  runDir: string,
  style: TerminalStyle,
): string {
  const colors = createColors(style.color);
  const { counts } = summary;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const parts = (Object.keys(MARK) as Verdict[])
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => {
      const text = `${counts[verdict]} ${verdict}`;
      if (verdict === 'pass') return colors.green(text);
      return verdict === 'skip' || verdict === 'known-bug' ? colors.yellow(text) : colors.red(text);
    });
  return [
    '',
    `${plural(total, 'case')} in ${seconds(summary.milliseconds)}: ${parts.join(', ')}`,
    ...skippedText(traces, style),
    ...guestsText(summary).map((text) => `${colors.dim('guests   ')} ${text}`),
    `${colors.dim('artifacts')} ${relative(process.cwd(), runDir) || '.'}`,
    `${colors.dim('report   ')} ${relative(process.cwd(), join(runDir, 'report.html'))}`,
  ].join('\n');
}

/** A line for each thing that the kernel lacks: what was not asked must not be overlooked, nor bury the rest. */
function skippedText(
  traces: readonly Pick<CaseTrace, 'verdict' | 'reason'>[],
  style: TerminalStyle,
): string[] {
  const colors = createColors(style.color);
  const groups = skippedByReason(traces.map(({ verdict, reason = '' }) => ({ verdict, reason })));
  const lines = groups.map(({ cases, reason }) => printable(skippedLine(cases.length, reason)));
  const folded = groups.some(({ cases }) => cases.length > 1);
  return [
    ...lines.map((line, index) => `${colors.dim((index === 0 ? 'skipped' : '').padEnd(9))} ${line}`),
    ...(folded ? [colors.dim(`${' '.repeat(10)}(cxlrig report --format text lists them)`)] : []),
  ];
}

function guestsText({ guests }: RunSummary): string[] {
  if (!guests) return [];
  const { resumed, booted, fellBack, stalls = 0 } = guests;
  const failed = fellBack > 0 ? ` (${fellBack} because the resume failed)` : '';
  const stood =
    stalls > 0
      ? `; ${stalls === 1 ? 'one start' : `${stalls} starts`} stood still and had to be begun again`
      : '';
  return [`${resumed} resumed, ${booted} booted${failed}${stood}`];
}

/** `850ms`, `3.2s`, `2m 5s`: as long as it takes to read, no longer. */
export function seconds(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)}s`;
  const whole = Math.round(milliseconds / 1000);
  return `${Math.floor(whole / 60)}m ${whole % 60}s`;
}
