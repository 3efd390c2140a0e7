import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { htmlReport } from './html/index.js';
import { junit } from './junit.js';
import { ktap } from './ktap.js';
import { writeRepro } from './repro/write.js';
import { results } from './results.js';
import type { CaseTrace, RunSummary } from '../trace/trace.js';

/**
 * Writes every report of a run into its folder, and each case's repro.sh and qemu.sh, from the traces alone.
 * @param traces each is looked at once: a run's traces together may be more than a machine has memory for
 */
export async function writeReports(
  runDir: string,
  summary: RunSummary,
  traces: Iterable<CaseTrace> | AsyncIterable<CaseTrace>,
): Promise<void> {
  const kept: CaseTrace[] = [];
  async function* lookedAt(): AsyncGenerator<CaseTrace> {
    for await (const trace of traces) {
      const dir = join(runDir, trace.artifacts);
      await writeRepro(trace, dir, dir);
      await keepTrace(trace, dir);
      kept.push(inBrief(trace));
      yield trace;
    }
  }
  await writeFile(join(runDir, 'report.html'), await htmlReport(runDir, summary, lookedAt()));
  await Promise.all([
    writeFile(join(runDir, 'run.json'), `${JSON.stringify(summary, null, 2)}\n`),
    writeFile(join(runDir, 'results.json'), results(summary, kept)),
    writeFile(join(runDir, 'junit.xml'), junit(summary, kept)),
    writeFile(join(runDir, 'results.ktap'), ktap(kept)),
  ]);
}

/** What the reports of a line or two a case say: what was typed, where it failed, and what tests of its own it had. */
function inBrief(trace: CaseTrace): CaseTrace {
  const isBad = trace.verdict === 'fail' || trace.verdict === 'fixed';
  const steps = trace.steps.flatMap((step) => {
    if (isBad && step.outcome === 'fail') return step;
    return step.subtests ? { ...step, lines: [], log: '', changes: [] } : [];
  });
  const brief = { ...trace, steps };
  delete brief.initialState;
  return brief;
}

/** A case that never reported has left no trace of its own: without one the reports could not be made again. */
async function keepTrace(trace: CaseTrace, dir: string): Promise<void> {
  try {
    await writeFile(join(dir, 'trace.json'), JSON.stringify(trace), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
