import { relative } from 'node:path';
import { plural } from './plural.js';
import type { Decoder } from './decode.js';
import { failedStep } from './failed-step.js';
import { isBad } from './results.js';
import { seconds } from './terminal.js';
import { wrapped } from './wrapped.js';
import type { CaseTrace, RunSummary, SplatRecord, StepTrace } from '../trace/trace.js';

const MOST_LINES_TYPED = 60;
const MOST_LINES_OF_LOG = 30;
const MOST_LINES_OF_SPLAT = 40;

/**
 * A run as text for a mailing list: the verdicts, and of each case that is not well the lines to type, what was
 * expected and received, and the trimmed splat. No line is folded that somebody may want to copy.
 * @param decoder puts file:line to the addresses of splats, where the kernel's vmlinux is at hand
 */
export async function mail(
  summary: RunSummary,
  traces: readonly CaseTrace[],
  decoder?: Decoder,
): Promise<string> {
  const bad = traces.filter(({ verdict }) => isBad(verdict));
  const known = traces.filter(({ verdict }) => verdict === 'known-bug');
  const parts = [head(summary, traces.length)];
  for (const trace of bad) parts.push(await mailCase(trace, decoder));
  if (known.length > 0) {
    parts.push([
      'Known bugs, which fail as declared:',
      ...known.map((trace) => `  ${trace.case.id}: ${oneLine(trace.reason)}`),
    ]);
  }
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function head({ counts, milliseconds, environment }: RunSummary, total: number): string[] {
  const { kernels, qemu, accelerator, host, cxlrig } = environment;
  const verdicts = Object.entries(counts).filter(([, count]) => count > 0);
  return [
    ...wrapped(
      `${plural(total, 'case')} in ${seconds(milliseconds)}: ${verdicts.map(([verdict, count]) => `${count} ${verdict}`).join(', ')}.`,
    ),
    '',
    ...kernels.flatMap(({ profile, release, origin }) =>
      wrapped(`${release} (${profile}: ${oneLine(origin)})`, { first: 'kernel   ' }),
    ),
    ...wrapped(`QEMU ${qemu} (${accelerator}) on ${host.distribution}, emulated CXL; cxlrig ${cxlrig}`, {
      first: 'machine  ',
    }),
  ];
}

/**
 * A case that is not well: what was expected and received, everything to type, the trimmed splats.
 * @returns lines; those to be copied, of the kernel log and of splats are as long as they are
 */
export async function mailCase(trace: CaseTrace, decoder?: Decoder): Promise<string[]> {
  const { case: identity, verdict, reason, failure, machine } = trace;
  const failed = failedStep(trace);
  const place = failure && `${relative(process.cwd(), failure.position.file)}:${failure.position.line}`;
  const splats = trace.splats.filter(({ allowed }) => !allowed);
  return [
    `${verdict.toUpperCase()}: ${identity.id}`,
    ...(identity.title === undefined ? [] : wrapped(identity.title, { indent: '  ' })),
    '',
    ...(reason ?? verdict).split('\n').flatMap((line) => wrapped(line, { indent: '  ' })),
    ...(place === undefined
      ? []
      : wrapped(`at ${place}, kernel ${identity.kernel}, topology ${machine.name}`, { indent: '  ' })),
    ...typedLines(trace, failed),
    ...(failure?.expected === undefined ? [] : ['', `  expected  ${value(failure.expected)}`]),
    ...(failure?.received === undefined ? [] : [`  received  ${value(failure.received)}`]),
    ...(failed && splats.length === 0 ? logLines(failed) : []),
    ...(await splatLines(splats, decoder)),
    ...(trace.leftovers.length > 0
      ? [
          '',
          '  Left behind:',
          ...trace.leftovers.map(
            ({ path, before, after }) => `    ${path}: ${value(before)} -> ${value(after)}`,
          ),
        ]
      : []),
  ];
}

/** Everything that was typed until it failed, so that the reader can do the same. */
function typedLines({ steps }: CaseTrace, failed: StepTrace | undefined): string[] {
  const until = failed ? steps.indexOf(failed) + 1 : 0;
  const lines = steps
    .slice(0, until)
    .flatMap((step) => step.lines)
    .map(({ text, channel, errno, code }) => {
      const result = errno ?? exitText(code);
      const prompt = channel === 'qmp' ? 'qmp>' : '#';
      return `    ${prompt} ${text.trim().replaceAll('\n', '\n      ')}${result === '' ? '' : `   -> ${result}`}`;
    });
  if (lines.length === 0) return [];
  const left = lines.length - MOST_LINES_TYPED;
  return [
    '',
    '  Typed:',
    ...(left > 0 ? [`    ... ${left} lines before, see repro.sh`] : []),
    ...lines.slice(-MOST_LINES_TYPED),
  ];
}

function exitText(code: number | null | undefined): string {
  if (code === undefined) return 'no answer';
  if (code === null) return 'killed';
  return code === 0 ? '' : `exit ${code}`;
}

function logLines({ log }: StepTrace): string[] {
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !isOwnNote(line));
  if (lines.length === 0) return [];
  return ['', '  Kernel log of the step:', ...lines.slice(-MOST_LINES_OF_LOG).map((line) => `    ${line}`)];
}

async function splatLines(splats: readonly SplatRecord[], decoder: Decoder | undefined): Promise<string[]> {
  const lines: string[] = [];
  for (const splat of splats) {
    const trimmed = trimSplat(splat.text);
    const text = decoder ? await decoder.decode(trimmed) : trimmed;
    lines.push('', ...text.split('\n').map((line) => `    ${line}`));
  }
  return lines;
}

/** What a reader of a list needs of a splat: no time stamps, registers, code bytes, module lists or guessed frames. */
export function trimSplat(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[[^\]]*\])? ?/, '').trimEnd())
    .filter((line) => line !== '' && !isOwnNote(line))
    .filter(
      (line) =>
        !/^(Code:|Modules linked in:|Hardware name:|PKRU:|---\[ end|R[A-Z0-9]{2}:|CR\d:|DR\d:|FS:|CS:|EFLAGS|Kernel Offset:)/.test(
          line.trim(),
        ),
    )
    .filter((line) => !/^\s*\? /.test(line) && !/^\s*<\/?(TASK|IRQ|NMI)>/.test(line));
  const left = lines.length - MOST_LINES_OF_SPLAT;
  return [...lines.slice(0, MOST_LINES_OF_SPLAT), ...(left > 0 ? [`[${left} more lines]`] : [])].join('\n');
}

/** The rig notes the lines that it types into the kernel log; they are told elsewhere. */
function isOwnNote(line: string): boolean {
  return /(?:^|\] ?)cxlrig: /.test(line);
}

function value(given: unknown): string {
  if (given === undefined) return 'absent';
  return typeof given === 'string' ? given : JSON.stringify(given);
}

function oneLine(text = ''): string {
  return text.replace(/\s+/g, ' ').trim();
}
