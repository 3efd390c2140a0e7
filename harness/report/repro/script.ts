import { isMap } from '../../base/plain.js';
import { canonicalErrno } from '../../abi/errno.js';
import { errnoTable } from '../../abi/errno-table.js';
import { quote } from '../../base/sh-quote.js';
import type { CaseTrace, StepTrace, TypedLine } from '../../trace/trace.js';
import { simpleSteps, type StepDefinition } from '../../scenario/kinds/index.js';
import { posixPattern } from '../../scenario/clauses/shell.js';
import { expectationLines, NOT_CHECKED } from './expectation.js';
import { PRELUDE } from './prelude.js';

/**
 * A case as one POSIX shell script for any guest with busybox: the very lines that the scenario typed, each with what
 * must come of it, and its expectations as checks. It exits 0 when all that it looks at is as the scenario says, 1 at the first
 * thing that is not, and 2 when the guest is not the machine. undefined when the case typed nothing.
 */
export function reproScript(trace: CaseTrace): string | undefined {
  const steps = trace.steps.filter(
    ({ outcome, lines, kind }) => outcome !== 'skipped' && (lines.length > 0 || kind === 'expect'),
  );
  if (steps.length === 0) return undefined;
  const all = trace.steps.filter(({ id }) => !id.startsWith('cleanup.'));
  const last = all.find(({ kind }) => ENDS_KERNEL.includes(kind));
  const main = last ? all.slice(0, all.indexOf(last)) : all;
  const cleanup = last ? [] : trace.steps.filter(({ id }) => id.startsWith('cleanup.'));
  const blocks = [
    ...stepBlocks(main, trace),
    ...(cleanup.length > 0 ? ['', '# cleanup: what fails here has nothing to do with the question'] : []),
    ...stepBlocks(cleanup, trace),
  ];
  return [
    '#!/bin/sh',
    ...header(trace),
    '',
    PRELUDE,
    '',
    ...errnoLines(trace),
    '',
    ...memdevLines(trace),
    'complaints_before=$(complaints)',
    ...blocks,
    ...ending(trace, blocks.filter((line) => line.trimStart().startsWith(NOT_CHECKED)).length, last),
    '',
  ].join('\n');
}

function header({ case: identity, verdict, reason, guest, machine }: CaseTrace): string[] {
  const remarks = [
    identity.id,
    ...(identity.title === undefined ? [] : [identity.title]),
    '',
    ...identity.description.trim().split('\n'),
    ...identity.references.map((reference) => `Reference: ${reference}`),
    '',
    `Machine: ${machine.name} (qemu.sh boots it). Kernel: ${guest?.kernelRelease ?? identity.kernel}.`,
    `Verdict there: ${verdict}${reason === undefined ? '' : `: ${reason}`}`,
    'Run it as root in a freshly booted guest: sh repro.sh',
    'Exit status: 0 all that is looked at is as the scenario says, 1 something is not, 2 this is not the machine.',
  ];
  return remarks.flatMap((remark) => remark.split('\n')).map((remark) => `# ${remark}`.trimEnd());
}

/** The texts of the errno names in use: a shell gets to know an errno by strerror() alone. */
function errnoLines(trace: CaseTrace): string[] {
  const names = new Set(
    trace.steps.flatMap((step) => [
      ...expectedErrnos(step),
      ...possibleErrnos(step),
      ...step.lines.flatMap(({ errno }) => errno ?? []),
    ]),
  );
  const cases = [...names].map((name) => {
    const said = errnoTable.find(([, one]) => one === canonicalErrno(name))?.[2] ?? name;
    // sysfs answers EACCES to a write to a file that is not there; the shell has words of its own
    const also = name === 'ENOENT' ? '|Permission denied|nonexistent directory|no such file|not found' : '';
    const inUse = name === 'EAGAIN' ? '|is in use' : '';
    return `\t${name}) ERRNO=${quote(`${said}${also}${inUse}`)} ;;`;
  });
  return ['errno_text() {', '\tcase $1 in', ...cases, '\t*) ERRNO=$1 ;;', '\tesac', '}'];
}

function memdevLines({ initialState }: CaseTrace): string[] {
  const memdevs = Object.entries(initialState?.memdevs ?? {});
  return memdevs.map(([name, { serial, endpoint }]) => `memdev ${serial} ${name} ${endpoint ?? 'endpoint'}`);
}

/** The steps of one level; those within a step stand inside of it. */
function stepBlocks(steps: readonly StepTrace[], trace: CaseTrace): string[] {
  const isTop = (step: StepTrace): boolean =>
    !steps.some((other) => other !== step && step.id.startsWith(`${other.id}.`));
  return steps.filter(isTop).flatMap((step) => {
    const inner = steps.filter(({ id }) => id.startsWith(`${step.id}.`));
    return ['', `step ${step.id} ${quote(oneLine(step.title))}`, ...stepLines(step, inner, trace)];
  });
}

function stepLines(step: StepTrace, inner: readonly StepTrace[], trace: CaseTrace): string[] {
  if (step.outcome === 'skipped') return ['# was not carried out'];
  if (step.kind === 'parallel') return parallelLines(step, inner, trace);
  if (inner.length > 0) return stepBlocks(inner, trace);
  if (step.kind === 'expect') return expectationLines(bodyOf(step), trace.machine);
  return [...step.lines.flatMap((line, index) => typedLines(line, index, step)), ...outputLines(step)];
}

function parallelLines(step: StepTrace, inner: readonly StepTrace[], trace: CaseTrace): string[] {
  const isLoop = isMap(step.document) && step.document['loop'] !== undefined;
  if (!isLoop) return branchLines(step.id, inner, trace);
  return membersOf(step.id, inner).flatMap((turn) =>
    branchLines(
      turn,
      inner.filter(({ id }) => id.startsWith(`${turn}.`)),
      trace,
    ),
  );
}

/** Each branch in a shell of its own, in the order in which they began; one that fails fails the step. */
function branchLines(outer: string, inner: readonly StepTrace[], trace: CaseTrace): string[] {
  const stepsOf = (branch: string): StepTrace[] => inner.filter(({ id }) => id.startsWith(`${branch}.`));
  const began = (branch: string): number => stepsOf(branch)[0]?.startedAt ?? 0;
  const branches = membersOf(outer, inner).sort((a, b) => began(a) - began(b));
  const blocks = branches.flatMap((branch) => [
    '(',
    'TMP=$(mktemp -d)',
    ...stepBlocks(stepsOf(branch), trace),
    `) & branches="$branches $!"`,
  ]);
  return ['branches=', ...blocks, 'for branch in $branches; do wait "$branch" || exit 1; done'];
}

/** The ids one level below an id: `3.1` and `3.2` of `3`. */
function membersOf(outer: string, inner: readonly StepTrace[]): string[] {
  const depth = outer.split('.').length + 1;
  return [...new Set(inner.map(({ id }) => id.split('.').slice(0, depth).join('.')))];
}

function typedLines(line: TypedLine, index: number, step: StepTrace): string[] {
  if (line.channel === 'qmp') {
    return [
      `# QEMU's monitor, not the guest, takes this: give it to QEMU (see qemu.sh), then press Enter`,
      `echo ${quote(`QMP: ${line.text}`)}; read -r _`,
    ];
  }
  const isLast = index === step.lines.length - 1;
  const { stdin } = bodyOf(step);
  const text = typeof stdin === 'string' ? `printf %s ${quote(stdin)} | {\n${line.text}\n}` : line.text;
  return [`type_line ${quote(expectedResult(line, step, isLast))} ${quote(text)}`];
}

/** The kinds after which another kernel runs: no script goes on from there. */
const ENDS_KERNEL = Object.entries<StepDefinition>(simpleSteps).flatMap(([kind, { endsKernel }]) =>
  endsKernel ? kind : [],
);

const TOOLS: readonly string[] = ['exec', 'cxl', 'daxctl', 'ndctl'];

/**
 * What must come of a line. The scenario says it of a step's last line; the lines before it went as they must, else
 * there would be no line after them.
 */
function expectedResult(line: TypedLine, step: StepTrace, isLast: boolean): string {
  if (step.id.startsWith('cleanup.')) return 'any';
  const errnos = expectedErrnos(step);
  if (isLast && errnos.length > 0) return errnos.join('|');
  const open = possibleErrnos(step);
  if (isLast && open.length > 0) return ['ok', ...open].join('|');
  if (!TOOLS.includes(step.kind)) return isLast || line.code === 0 ? 'ok' : 'any';
  const { exit = 0 } = bodyOf(step);
  if (exit === 0) return 'ok';
  if (exit === 'any') return 'any';
  return exit === 'nonzero' ? 'failed' : `exit ${[exit].flat().join(' ')}`;
}

/** What the scenario says about the output of the line. */
function outputLines(step: StepTrace): string[] {
  const { equals, matches, stdout, stderr, json } = bodyOf(step);
  const [last] = step.lines.slice(-1);
  if (
    !last ||
    step.id.startsWith('cleanup.') ||
    [...expectedErrnos(step), ...possibleErrnos(step)].length > 0
  )
    return [];
  return [
    ...(typeof equals === 'string' ? [`printed ${quote(equals.trim())}`] : []),
    ...(typeof matches === 'string' ? [`printed_like out ${quote(posixPattern(matches))}`] : []),
    ...(typeof stdout === 'string' ? [`printed_like out ${quote(posixPattern(stdout))}`] : []),
    ...(typeof stderr === 'string' ? [`printed_like err ${quote(posixPattern(stderr))}`] : []),
    ...(json === undefined ? [] : [`${NOT_CHECKED} the JSON contains ${oneLine(JSON.stringify(json))}`]),
  ];
}

/**
 * @param unchecked how many expectations stand in comments only
 * @param last the step that the script can't outlive
 */
function ending(trace: CaseTrace, unchecked: number, last: StepTrace | undefined): string[] {
  const hasAllowed = trace.splats.some(({ allowed }) => allowed);
  return [
    '',
    'STEP=end',
    ...(hasAllowed
      ? ['# the scenario allows some complaints of the kernel, so they are not counted here']
      : ['[ "$(complaints)" = "$complaints_before" ] || fail "the kernel complained: see dmesg"']),
    ...trace.leftovers.map(({ path }) => `# left behind there: ${oneLine(path)}`),
    ...(last
      ? [
          `echo ${quote(`step ${last.id} is a ${last.kind}, which ends this script: what follows it was not looked at`)}`,
        ]
      : []),
    unchecked === 0 && !last
      ? "echo 'everything is as the scenario says'"
      : `echo 'all that was looked at is as the scenario says${unchecked === 0 ? '' : `; not looked at: ${unchecked} of its expectations ("not checked here" above)`}'`,
    'exit 0',
  ];
}

/** The last line fails with one of these. */
function expectedErrnos({ document }: StepTrace): string[] {
  return errnosOf(document, 'fails');
}

/** The last line may fail with one of these. */
function possibleErrnos({ document }: StepTrace): string[] {
  return errnosOf(document, 'may-fail');
}

function errnosOf(document: unknown, key: string): string[] {
  return [isMap(document) ? document[key] : undefined]
    .flat()
    .filter((name): name is string => typeof name === 'string' && /^E[0-9A-Z]+$/.test(name));
}

function bodyOf({ document, kind }: StepTrace): Readonly<Record<string, unknown>> {
  const body = isMap(document) ? document[kind] : undefined;
  return isMap(body) ? body : {};
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
