import { failedStep } from './failed-step.js';
import type { CaseTrace, RunSummary } from '../trace/trace.js';

/** JUnit XML as CI systems read it: one testsuite a kernel, one testcase a case. fail is a failure, infra an error. */
export function junit(summary: RunSummary, traces: readonly CaseTrace[]): string {
  const kernels = [...new Set(traces.map((trace) => trace.case.kernel))];
  const suites = kernels.map((kernel) =>
    suite(
      kernel,
      summary,
      traces.filter((trace) => trace.case.kernel === kernel),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="cxlrig"${counts(traces)}>\n${suites.join('')}</testsuites>\n`;
}

function suite(kernel: string, summary: RunSummary, traces: readonly CaseTrace[]): string {
  const release = summary.environment.kernels.find(({ profile }) => profile === kernel)?.release ?? kernel;
  const startedAt = new Date(summary.startedAt).toISOString();
  return (
    `  <testsuite name="${xml(`${kernel} (${release})`)}"${counts(traces)} timestamp="${startedAt}">\n` +
    traces.map((trace) => testCase(trace) + subtests(trace)).join('') +
    '  </testsuite>\n'
  );
}

function testCase(trace: CaseTrace): string {
  const open = `    <testcase name="${xml(trace.case.id)}" classname="${xml(trace.case.scenario)}" time="${seconds(trace.milliseconds)}" file="${xml(trace.case.position.file)}"`;
  const body = outcome(trace);
  return body === '' ? `${open}/>\n` : `${open}>\n${body}    </testcase>\n`;
}

/** What a suite within the case said of its tests, each as a testcase. */
function subtests({ case: { id, scenario, position }, steps }: CaseTrace): string {
  return steps
    .flatMap((step) => step.subtests ?? [])
    .map(({ name, verdict, reason = '' }) => {
      const open = `    <testcase name="${xml(`${id}: ${name}`)}" classname="${xml(scenario)}" time="0.000" file="${xml(position.file)}"`;
      if (verdict === 'pass') return `${open}/>\n`;
      const kind = verdict === 'fail' ? 'failure' : 'skipped';
      return `${open}>\n      <${kind} message="${xml(reason)}"/>\n    </testcase>\n`;
    })
    .join('');
}

function outcome(trace: CaseTrace): string {
  const reason = xml(trace.reason ?? trace.verdict);
  switch (trace.verdict) {
    case 'pass':
      return '';
    case 'skip':
      return `      <skipped message="${reason}"/>\n`;
    case 'known-bug':
      return `      <skipped message="known bug: ${reason}"/>\n`;
    case 'infra':
      return `      <error type="infra" message="${reason}"/>\n`;
    case 'fail':
    case 'fixed':
      return `      <failure type="${trace.verdict}" message="${reason}">${xml(evidence(trace))}</failure>\n`;
  }
}

function evidence(trace: CaseTrace): string {
  const step = failedStep(trace);
  const place = trace.failure?.position;
  return [
    place ? `${place.file}:${place.line}:${place.column}` : '',
    ...(step?.lines.map(({ text, errno }) => (errno ? `${text}  # ${errno}` : text)) ?? []),
    step?.log ?? '',
    ...trace.splats.filter(({ allowed }) => !allowed).map(({ text }) => text),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function counts(traces: readonly CaseTrace[]): string {
  const told = traces.flatMap(({ verdict, steps }) => [
    verdict,
    ...steps.flatMap(({ subtests = [] }) => subtests.map((one) => one.verdict)),
  ]);
  const count = (...verdicts: readonly string[]): number =>
    told.filter((verdict) => verdicts.includes(verdict)).length;
  const time = traces.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return ` tests="${told.length}" failures="${count('fail', 'fixed')}" errors="${count('infra')}" skipped="${count('skip', 'known-bug')}" time="${seconds(time)}"`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

// eslint-disable-next-line no-control-regex
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000d\u000e-\u001f\ufffe\uffff]/g;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** Escapes text for XML and drops the control characters which XML 1.0 cannot hold at all. */
function xml(text: string): string {
  return text.replace(NOT_IN_XML, '').replace(/[&<>"\n]/g, (character) => ENTITIES[character] ?? character);
}
