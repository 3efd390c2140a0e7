import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixtureDir, fixtureRun } from '../report/testing/fixture-run.js';
import { sampleRun } from '../report/testing/sample-run.js';
import { caseTraceSchema, runSummarySchema, traceJsonSchema } from './schema.js';

describe('the trace format', () => {
  test('is what runs write', async () => {
    const { traces } = await fixtureRun();
    const made = await sampleRun();
    for (const trace of [...traces, ...made.traces])
      expect(caseTraceSchema.safeParse(trace).error).toBeUndefined();
    const summary = JSON.parse(await readFile(join(fixtureDir, 'run.json'), 'utf8')) as unknown;
    expect(runSummarySchema.safeParse(summary).error).toBeUndefined();
  });

  test('has a JSON Schema that describes every part that is not plain by its name', () => {
    const text = JSON.stringify(traceJsonSchema());
    expect(text).toContain('"title":"trace.json of cxlrig"');
    for (const word of [
      'leads from the earlier state',
      'milliseconds since the Unix epoch',
      'by the kernel',
    ]) {
      expect(text).toContain(word);
    }
    expect(JSON.stringify(traceJsonSchema('run'))).toContain('"title":"run.json of cxlrig"');
  });

  test('keeps traces small: a state once, then what changed', async () => {
    const { traces } = await fixtureRun();
    for (const trace of traces) expect(JSON.stringify(trace).length).toBeLessThan(100_000);
  });

  test('lets a later version of the same format add to it', async () => {
    const { traces } = await fixtureRun();
    expect(caseTraceSchema.safeParse({ ...traces[0], added: 1 }).success).toBe(true);
  });
});
