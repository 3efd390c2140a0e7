import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { htmlReport } from './html/index.js';
import { junit } from './junit.js';
import { ktap } from './ktap.js';
import { writeRepro } from './repro/write.js';
import { results } from './results.js';
import type { CaseTrace, RunSummary } from './trace.js';

/** Writes every report of a run into its folder, and each case's repro.sh and qemu.sh, from the traces alone. */
export async function writeReports(
  runDir: string,
  summary: RunSummary,
  traces: readonly CaseTrace[],
): Promise<void> {
  for (const trace of traces) {
    const dir = join(runDir, trace.artifacts);
    await writeRepro(trace, dir, dir);
    await keepTrace(trace, dir);
  }
  await Promise.all([
    htmlReport(runDir, summary, traces).then((page) => writeFile(join(runDir, 'report.html'), page)),
    writeFile(join(runDir, 'run.json'), `${JSON.stringify(summary, null, 2)}\n`),
    writeFile(join(runDir, 'results.json'), results(summary, traces)),
    writeFile(join(runDir, 'junit.xml'), junit(summary, traces)),
    writeFile(join(runDir, 'results.ktap'), ktap(traces)),
  ]);
}

/** A case that never reported has left no trace of its own: without one the reports could not be made again. */
async function keepTrace(trace: CaseTrace, dir: string): Promise<void> {
  try {
    await writeFile(join(dir, 'trace.json'), JSON.stringify(trace), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
