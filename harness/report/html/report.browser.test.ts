import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fixtureDir, fixtureRun } from '../testing/fixture-run.js';
import { hostileRun, largeRun, sampleRun } from '../testing/sample-run.js';
import type { CaseTrace, RunSummary } from '../../trace/trace.js';
import { htmlReport } from './index.js';

const EXECUTABLE = process.env['CXLRIG_CHROMIUM'] ?? '/usr/bin/chromium';

let browser: Browser;
let dir: string;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  if (!existsSync(EXECUTABLE)) {
    throw new Error(`${EXECUTABLE} is not there: install Debian's package chromium, or set CXLRIG_CHROMIUM`);
  }
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-page-'));
  browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
  });
});

afterAll(async () => {
  await browser.close();
  await rm(dir, { recursive: true, force: true });
});

afterEach(async () => {
  // nothing may be asked of a network, refused by the page's own policy, or thrown
  expect(complaints).toEqual([]);
  await page.close();
});

async function open(
  run: { readonly summary: RunSummary; readonly traces: readonly CaseTrace[] },
  hash = '',
  runDir = dir,
): Promise<void> {
  const file = join(dir, 'report.html');
  await writeFile(file, await htmlReport(runDir, run.summary, run.traces));
  page = await browser.newPage({ viewport: { width: 1280, height: 820 } });
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(`${pathToFileURL(file).href}${hash}`);
  await page.waitForSelector('main');
}

const names = (): Promise<string[]> => page.locator('a.case-row .name').allTextContents();
const cells = (): Promise<string[]> =>
  page
    .locator('.map-group', { hasText: 'region0' })
    .locator('.cell')
    .evaluateAll((all) => all.map((cell) => (cell.getAttribute('class') ?? '').trim()));
const step = (): Promise<string> => page.locator('.step[aria-current] .step-id').innerText();

describe('cases that the kernel lacks something for', () => {
  const lacking = async (): Promise<void> => {
    const { summary, traces } = await sampleRun();
    const [trace] = traces as [CaseTrace];
    const skipped = ['p', 'q', 'r'].map((id): CaseTrace => {
      const identity = { ...trace.case, id: `${id} @stock` };
      return { ...trace, case: identity, verdict: 'skip', reason: 'no driver dax_region on the cxl bus' };
    });
    await open({ summary, traces: [...skipped, ...traces] });
  };
  const visible = (): Promise<string[]> => page.locator('a.case-row:visible .name').allTextContents();

  test('are a line below what ran, which unfolds them', async () => {
    await lacking();
    const line = page.locator('.skipped summary');
    expect(await line.allInnerTexts()).toEqual([
      expect.stringMatching(/3 cases: no driver dax_region on the cxl bus$/),
    ]);
    const ran = await visible();
    expect(ran).not.toContain('q');
    await line.click();
    expect(await visible()).toEqual([...ran.slice(0, 7), 'p', 'q', 'r', ...ran.slice(7)]);
  });

  test('are shown to who asks for them, and passed over by the keys otherwise', async () => {
    await lacking();
    const before = (await visible()).at(-2);
    await page.keyboard.press('End');
    await page.keyboard.press('k');
    expect(await page.locator('a.case-row:focus .name').innerText()).toBe(before);
    await page.getByRole('button', { name: /skip/ }).click();
    expect(await visible()).toEqual(['p', 'q', 'r', 'current/dax-state-offline']);
  });
});

describe('a report of real guests', () => {
  const openRun = async (hash?: string): Promise<void> => open(await fixtureRun(), hash, fixtureDir);

  test('shows what needs a look first, each with its cause', async () => {
    await openRun();
    const verdicts = await page
      .locator('a.case-row')
      .evaluateAll((all) => all.map((row) => row.getAttribute('data-verdict')));
    expect(verdicts).toEqual(['fail', 'fail', 'known-bug', 'pass', 'pass', 'skip']);
    const reasons = await page.locator('a.case-row .reason').allInnerTexts();
    expect(reasons).toEqual([
      expect.stringContaining('Kernel panic'),
      expect.stringContaining('zone of'),
      expect.stringContaining('ENODEV'),
      expect.stringContaining('a kernel of the future'),
    ]);
  });

  test('filters by verdict, topology and words, and sorts; the address keeps it', async () => {
    await openRun();
    await page.getByRole('button', { name: /known-bug/ }).click();
    expect(await names()).toEqual(['known-bug']);
    await page.reload();
    expect(await names()).toEqual(['known-bug']);
    await page.getByRole('button', { name: /known-bug/ }).click();
    await page.getByLabel('Topology', { exact: true }).selectOption('two-ports');
    expect(await names()).toEqual(['current/refuse-target']);
    await page.getByLabel('Topology', { exact: true }).selectOption('');
    await page.keyboard.press('/');
    await page.keyboard.type('interleave brid');
    expect(await names()).toEqual(['current/interleave [at=two-bridges]']);
    await page.getByLabel('Filter cases').fill('');
    await page.getByRole('button', { name: 'Sort by case' }).click();
    expect((await names())[0]).toBe('current/interleave [at=two-bridges]');
  });

  test('is one click away from why a case failed: the step, what was expected, what was received', async () => {
    await openRun();
    await page.locator('a.case-row', { hasText: 'wrong-zone' }).click();
    await page.waitForSelector('.failure');
    expect(await page.locator('.failure .expected').innerText()).toBe('Normal');
    expect(await page.locator('.failure .received').innerText()).toBe('Movable');
  });

  test('shows a panic with its trace, and the line that brought it', async () => {
    await openRun();
    await page.locator('a.case-row', { hasText: 'panic' }).click();
    await page.waitForSelector('.splat');
    expect(await page.locator('.splat .log').first().innerText()).toContain('sysrq_handle_crash');
    expect(await page.locator('.typed').innerText()).toContain('echo c > /proc/sysrq-trigger');
    expect(await page.locator('.typed .refused').innerText()).toBe('no answer');
  });

  test('steps through a case by keyboard, and the memory map goes along', async () => {
    await openRun('#case/wrong-zone/step/1');
    await page.waitForSelector('.memory-map');
    expect(await cells()).toEqual([]);
    await page.keyboard.press('j');
    expect(await step()).toBe('2');
    expect(await cells()).toEqual(Array.from({ length: 4 }, () => 'cell movable appeared'));
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await cells()).toEqual(['cell movable', 'cell offline changed', 'cell movable', 'cell movable']);
    // readable without colour
    expect(await page.locator('.map-group', { hasText: 'region0' }).locator('.cell').allInnerTexts()).toEqual(
      ['M', '–', 'M', 'M'],
    );
    await page.keyboard.press('k');
    expect(await step()).toBe('3');
    await page.keyboard.press('f');
    expect(await step()).toBe('5');
    expect(page.url()).toContain('#case/wrong-zone/step/5');
    await page.keyboard.press('Escape');
    await page.waitForSelector('a.case-row');
  });

  test('opens at the step that a link names, with the lines typed and their answers', async () => {
    await openRun('#case/current%2Frefuse-target/step/6');
    await page.waitForSelector('.typed');
    expect(await step()).toBe('6');
    expect(await page.locator('.typed .refused').innerText()).toBe('ENXIO');
    expect(await page.locator('.typed .line').innerText()).toBe(
      'echo 1 > /sys/bus/cxl/devices/region0/commit',
    );
  });

  test('draws the topology with the region over its devices', async () => {
    await openRun('#case/current%2Finterleave%20%5Bat%3Dtwo-bridges%5D/step/6');
    await page.waitForSelector('.topology svg');
    const text = await page.locator('.topology svg').textContent();
    for (const part of ['window0', 'hb0', 'rp1', 'mem1', 'region0 · 512M · x2 at 256 · cxl_region']) {
      expect(text).toContain(part);
    }
  });

  test('goes through the cases, helps with its keys, and changes its theme', async () => {
    await openRun();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('.case-page');
    expect(page.url()).toContain('#case/wrong-zone');
    await page.keyboard.press('[');
    await page.waitForURL(/#case\/panic/);
    await page.keyboard.press('?');
    expect(await page.locator('dialog.keys').isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    const background = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.keyboard.press('t');
    const light = await background();
    await page.keyboard.press('t');
    expect(await background()).not.toBe(light);
  });
});

test('two kernels stand side by side, and only their differences when asked', async () => {
  await open(await sampleRun(), '#?view=compare');
  expect(await page.locator('.compare-row.heads').innerText()).toContain('debian-stable');
  const all = await page.locator('.compare-row:not(.heads)').count();
  await page.getByLabel('only where the kernels differ').check();
  const differing = await page.locator('.compare-row:not(.heads)').count();
  expect(differing).toBeLessThan(all);
  const row = page.locator('.compare-row', { hasText: 'dax-state [from' });
  expect(await row.locator('.badge').allInnerTexts()).toEqual([
    expect.stringContaining('fail'),
    expect.stringContaining('pass'),
  ]);
});

test('a thousand cases open and filter quickly', async () => {
  const run = await largeRun(1000);
  await open(run);
  expect(await page.locator('a.case-row').count()).toBe(1000);
  const times = await page.evaluate(() => {
    const [entry] = performance.getEntriesByType('navigation');
    return { loaded: entry?.duration ?? Infinity };
  });
  expect(times.loaded).toBeLessThan(5000);
  await page.getByLabel('Filter cases').fill('n=999');
  expect(await names()).toEqual(['many/case-999 [n=999]']);
  await page.locator('a.case-row').click();
  await page.waitForSelector('.memory-map');
});

test('what tries to be markup is shown as text', async () => {
  await open(await hostileRun());
  expect(await page.locator('a.case-row .name').textContent()).toContain('</script><script>');
  await page.locator('a.case-row').click();
  await page.waitForSelector('.case-page');
  for (const moment of await page.locator('.step').all()) {
    await moment.click();
    expect(await page.locator('.details').innerText()).toContain('<img src=x');
  }
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
  expect(await page.title()).not.toBe('owned');
});

test('a narrow window hides nothing', async () => {
  await open(await fixtureRun(), '#case/wrong-zone');
  await page.setViewportSize({ width: 800, height: 700 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(800);
  await page.locator('.failure').scrollIntoViewIfNeeded();
  expect(await page.locator('.failure').isVisible()).toBe(true);
});
