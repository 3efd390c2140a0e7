import type { CaseTrace } from '../trace/trace.js';

/** KTAP version 1, as Documentation/dev-tools/ktap.rst has it: what kernel CI tools parse. */
export function ktap(traces: readonly CaseTrace[]): string {
  const lines = traces.flatMap((trace, index) => [
    ...subtests(trace),
    ...diagnostics(trace),
    result(trace, index + 1),
  ]);
  return ['KTAP version 1', `1..${traces.length}`, ...lines, ''].join('\n');
}

function result(trace: CaseTrace, number: number): string {
  const description = oneLine(trace.case.id).replaceAll('#', '');
  const reason = oneLine(trace.reason ?? '');
  switch (trace.verdict) {
    case 'pass':
      return `ok ${number} ${description}`;
    case 'skip':
      return `ok ${number} ${description} # SKIP ${reason}`;
    case 'known-bug':
      return `ok ${number} ${description} # XFAIL ${reason}`;
    case 'fail':
    case 'fixed':
      return `not ok ${number} ${description}`;
    case 'infra':
      return `not ok ${number} ${description} # ERROR ${reason}`;
  }
}

/** What a suite within the case said, as a level of its own. */
function subtests({ steps }: CaseTrace): string[] {
  const all = steps.flatMap((step) => step.subtests ?? []);
  if (all.length === 0) return [];
  const lines = all.map(({ name, verdict, reason = '' }, index) => {
    const text = `${verdict === 'fail' ? 'not ok' : 'ok'} ${index + 1} ${oneLine(name).replaceAll('#', '')}`;
    return verdict === 'skip' ? `${text} # SKIP ${oneLine(reason)}` : text;
  });
  return ['KTAP version 1', `1..${all.length}`, ...lines].map((line) => `  ${line}`);
}

function diagnostics(trace: CaseTrace): string[] {
  if (trace.verdict !== 'fail' && trace.verdict !== 'fixed') return [];
  const place = trace.failure?.position;
  return [
    `# ${oneLine(trace.reason ?? trace.verdict)}`,
    ...(place ? [`# at ${place.file}:${place.line}:${place.column}`] : []),
  ];
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
