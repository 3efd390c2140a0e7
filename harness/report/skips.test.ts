import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { liveView, type LiveViewOptions } from './live.js';
import { skippedByReason } from './skips.js';
import { summaryText } from './terminal.js';
import { sampleRun } from './testing/sample-run.js';
import type { CaseTrace } from '../trace/trace.js';

const DAX = 'no driver dax_region on the cxl bus';
const OLD = 'needs a kernel >=7.3, this is 6.12.48';

const { summary, traces } = await sampleRun();
const [passed] = traces as [CaseTrace];
const named = (trace: CaseTrace, id: string): CaseTrace => ({ ...trace, case: { ...trace.case, id } });
const skipped = (id: string, reason: string): CaseTrace => ({
  ...named(passed, id),
  verdict: 'skip',
  reason,
});
const run = [
  skipped('a', OLD),
  skipped('b', DAX),
  named(passed, 'c'),
  skipped('d', DAX),
  skipped('e', DAX),
  named(passed, 'f'),
];

/** What the live view of a log shows of these cases. */
function logOf(cases: readonly CaseTrace[], options: LiveViewOptions = {}): string[] {
  const stream = new PassThrough();
  const view = liveView(stream as unknown as NodeJS.WriteStream, options);
  for (const trace of cases) view.event(trace.case.id, { type: 'case-ended', at: 0, trace });
  view.close();
  return ((stream.read() as Buffer | null)?.toString() ?? '').split('\n').filter((line) => line !== '');
}

test('skipped cases are grouped by what the kernel lacks, the reason of most first', () => {
  expect(skippedByReason(run).map(({ reason, cases }) => [reason, cases.length])).toEqual([
    [DAX, 3],
    [OLD, 1],
  ]);
});

test('the live view mentions a reason for skipping once, and every other case by a line', () => {
  expect(logOf(run)).toEqual([
    `skip  ${OLD}: a (further ones are counted at the end)`,
    `skip  ${DAX}: b (further ones are counted at the end)`,
    expect.stringMatching(/^ok {4}c /),
    expect.stringMatching(/^ok {4}f /),
  ]);
});

test('the live view lists every skipped case when asked to', () => {
  expect(logOf(run, { listSkipped: true }).filter((line) => line.startsWith('skip'))).toHaveLength(4);
});

test('the summary has a line for each reason, and says where the cases are listed', () => {
  const text = summaryText(summary, run, '/runs/1', { color: false });
  expect(text).toContain(`skipped   3 cases: ${DAX}\n          1 case: ${OLD}\n`);
  expect(text).toContain('cxlrig report --format text lists them');
  expect(summaryText(summary, [passed], '/runs/1', { color: false })).not.toContain('skipped');
});
