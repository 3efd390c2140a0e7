import type { CaseTrace, RunSummary } from '../../trace/trace.js';
import { caseContent } from './case-content.js';
import { reportPage } from './page.js';

/**
 * The whole report.html of a run, from its traces and what lies in its folder.
 * @param traces each is looked at once, and not kept
 */
export function htmlReport(
  runDir: string,
  summary: RunSummary,
  traces: Iterable<CaseTrace> | AsyncIterable<CaseTrace>,
): Promise<string> {
  return reportPage(summary, contents(runDir, traces));
}

async function* contents(
  runDir: string,
  traces: Iterable<CaseTrace> | AsyncIterable<CaseTrace>,
): AsyncGenerator<Awaited<ReturnType<typeof caseContent>>> {
  for await (const trace of traces) yield caseContent(runDir, trace);
}
