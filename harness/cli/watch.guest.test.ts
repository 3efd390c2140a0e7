import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processesIn, startCxlrig, workFolder } from '../testing/command.js';

const SCENARIO = `cxlrig: 1
name: A region has no driver until it is bound
description: It is the author's while it is watched.
topology: one-volatile
steps:
  - create-region: { as: r, targets: [mem0], size: 256M }
  - expect: { region: { name: '\${r}', driver: null }, within: 300ms }
cleanup:
  - destroy-region: { region: '\${r}' }
`;

test('a scenario that is watched is run again when it changes, also after one that can not be run', async () => {
  const dir = await workFolder();
  const file = join(dir, 'mine.yaml');
  await writeFile(file, SCENARIO);
  const { child, text } = startCxlrig(['run', file, '--watch', '--out', join(dir, 'runs')]);
  const waits = (times: number) =>
    expect
      .poll(() => text().split('watching for changes').length - 1, { timeout: 120_000, interval: 50 })
      .toBe(times);

  await waits(1);
  expect(text()).toMatch(/^ok +mine/m);
  await writeFile(file, SCENARIO.replace('driver: null', 'driver: cxl_region'));
  await waits(2);
  expect(text()).toMatch(/mine\.yaml has changed\n.*\n\nFAIL +mine/);
  await appendFile(file, 'step: []\n');
  await waits(3);
  expect(text()).toContain('mine.yaml:10:1');
  await writeFile(file, SCENARIO);
  await waits(4);
  expect(text().match(/^ok +mine/gm)).toHaveLength(2);
  child.kill('SIGINT');
  expect((await child).exitCode).toBe(0);
  expect(await processesIn(dir)).toEqual([]);
  expect(await readFile(file, 'utf8')).toBe(SCENARIO);
});
