import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { junit } from './junit.js';
import { ktap } from './ktap.js';
import { results } from './results.js';
import type { CaseTrace, RunSummary } from './trace.js';

/** Writes every report of a run into its folder, from the traces alone. */
export async function writeReports(
  runDir: string,
  summary: RunSummary,
  traces: readonly CaseTrace[],
): Promise<void> {
  await Promise.all([
    writeFile(join(runDir, 'run.json'), `${JSON.stringify(summary, null, 2)}\n`),
    writeFile(join(runDir, 'results.json'), results(summary, traces)),
    writeFile(join(runDir, 'junit.xml'), junit(summary, traces)),
    writeFile(join(runDir, 'results.ktap'), ktap(traces)),
  ]);
}
