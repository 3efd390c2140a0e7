import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { hostileRun, sampleRun } from '../testing/sample-run.js';
import type { CaseTrace } from '../../trace/trace.js';
import { reportPage } from './page.js';
import { INDEX_ELEMENT, type CaseContent, type PageIndex } from './page-content.js';

async function* contents(traces: readonly CaseTrace[]): AsyncGenerator<CaseContent> {
  for (const trace of traces) yield await Promise.resolve({ trace, artifacts: [] });
}

async function page(run: Awaited<ReturnType<typeof sampleRun>>): Promise<string> {
  return reportPage(run.summary, contents(run.traces));
}

describe('the report page', () => {
  test('holds every trace whole', async () => {
    const run = await sampleRun();
    const html = await page(run);
    const packed = [...html.matchAll(/id="cxlrig-case-\d+">([A-Za-z0-9+/=]+)<\/script>/g)].map(
      ([, base64 = '']) =>
        (JSON.parse(gunzipSync(Buffer.from(base64, 'base64')).toString()) as CaseContent).trace,
    );
    expect(packed).toEqual(JSON.parse(JSON.stringify(run.traces)));
  });

  test('names nothing outside of itself', async () => {
    const html = await page(await sampleRun());
    expect(html).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)=/);
    expect(html).toContain("default-src 'none'");
  });

  test('has no markup of what a scenario or a guest said', async () => {
    const { traces, summary } = await hostileRun();
    const html = await page({ traces, summary });
    // index, one case and the program: no more scripts are begun or ended than the page's own
    expect(html.match(/<script/g)).toHaveLength(3);
    expect(html.match(/<\/script/g)).toHaveLength(3);
    expect(html).not.toMatch(/<img|<!--/);
  });

  test('tells cases of the same id on several kernels apart', async () => {
    const { traces, summary } = await sampleRun();
    const [one] = traces;
    if (!one) throw new Error('no sample');
    const other = { ...one, case: { ...one.case, kernel: 'other' } };
    const html = await page({ summary, traces: [one, other] });
    const [, index = ''] = new RegExp(`id="${INDEX_ELEMENT}">(.*?)</script>`).exec(html) ?? [];
    const keys = (JSON.parse(index) as PageIndex).cases.map(({ key }) => key);
    expect(new Set(keys).size).toBe(2);
  });
});
