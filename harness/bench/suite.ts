import { parseArgs } from 'node:util';
import type { CaseTrace } from '../trace/trace.js';
import { inFolder, print, printTable, timedRun, type TimedRun } from './measuring.js';
import type { Section } from './section.js';

/** Runs scenarios with every guest booted, and with guests resumed, and holds the verdicts against each other. */
export const suite: Section = {
  does: 'scenarios with --cold and without, and whether the verdicts are the same: [scenarios...] [--jobs 1,2,4] [--kernel K]',
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { kernel: { type: 'string', default: 'stock' }, jobs: { type: 'string', default: '2' } },
    });
    const rows = [
      [
        'jobs',
        'guests',
        'wall',
        'starts',
        'steps',
        'lines',
        'booted',
        'resumed',
        'fell back',
        'against --cold',
      ],
    ];
    for (const jobs of values.jobs.split(',')) {
      const options = [...positionals, '--kernel', values.kernel, '--jobs', jobs];
      const cold = await runOnce([...options, '--cold']);
      await runOnce(options); // makes the templates
      const resumed = await runOnce(options);
      rows.push(rowOf(jobs, 'cold', cold, cold), rowOf(jobs, 'resumed', resumed, cold));
      const different = verdictsThatDiffer(cold.traces, resumed.traces);
      print(`${jobs} jobs: ${cold.traces.length} cases, ${different.length} with another verdict`);
      for (const line of different) print(`  ${line}`);
      if (different.length > 0) process.exitCode = 1;
    }
    printTable(rows);
  },
};

/** A case may fail: it is the verdicts that are held against each other. */
async function runOnce(options: readonly string[]): Promise<TimedRun> {
  return inFolder((out) => timedRun(options, out, { reject: false }));
}

function verdictsThatDiffer(a: readonly CaseTrace[], b: readonly CaseTrace[]): string[] {
  const other = new Map(b.map((trace) => [trace.case.id, trace]));
  return a.flatMap((trace) => {
    const counterpart = other.get(trace.case.id);
    if (counterpart?.verdict === trace.verdict) return [];
    const reason = counterpart?.reason ?? trace.reason ?? '';
    return `${trace.case.id}: cold ${trace.verdict}, resumed ${counterpart?.verdict ?? 'nothing'} (${reason})`;
  });
}

function rowOf(jobs: string, how: string, { milliseconds, traces }: TimedRun, cold: TimedRun): string[] {
  const fresh = traces.flatMap(({ guest }) => (guest && !guest.reused ? guest : []));
  const steps = traces.flatMap((trace) => trace.steps);
  const sum = (values: readonly number[]): string =>
    `${(values.reduce((a, b) => a + b, 0) / 1000).toFixed(1)} s`;
  return [
    jobs,
    how,
    sum([milliseconds]),
    sum(fresh.map(({ bootMilliseconds }) => bootMilliseconds)),
    sum(steps.map((step) => step.milliseconds)),
    sum(steps.flatMap(({ lines }) => lines.map((line) => line.milliseconds))),
    `${fresh.filter(({ boot }) => boot !== 'resumed').length}`,
    `${fresh.filter(({ boot }) => boot === 'resumed').length}`,
    `${fresh.filter(({ fellBack }) => fellBack).length}`,
    (cold.milliseconds / milliseconds).toFixed(2),
  ];
}
