import type { CaseTrace, RunSummary } from '../trace.js';
import { caseContent } from './case-content.js';
import { caseEntries, reportPage } from './page.js';

/** The whole report.html of a run, from its traces and what lies in its folder. */
export function htmlReport(
  runDir: string,
  summary: RunSummary,
  traces: readonly CaseTrace[],
): Promise<string> {
  return reportPage(summary, caseEntries(traces), contents(runDir, traces));
}

async function* contents(
  runDir: string,
  traces: readonly CaseTrace[],
): AsyncGenerator<Awaited<ReturnType<typeof caseContent>>> {
  for (const trace of traces) yield caseContent(runDir, trace);
}
