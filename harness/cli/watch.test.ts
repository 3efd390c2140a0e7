import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nextChange, type Watched } from './watch.js';

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cxlrig-watch-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await mkdir(join(dir, 'tree/drivers/cxl'), { recursive: true });
  await mkdir(join(dir, 'tree/.git'));
  for (const file of [
    'mine.yaml',
    'topology.yaml',
    'notes.txt',
    'tree/drivers/cxl/core.c',
    'tree/.git/index',
  ])
    await writeFile(join(dir, file), '');
  return dir;
}

/** What is seen of changes that are made once they can be. */
async function seen(watched: Watched, change: (signal: AbortController) => Promise<void> | void) {
  const controller = new AbortController();
  return nextChange(watched, controller.signal, () => void change(controller));
}

describe('what is watched', () => {
  test('is a scenario, and what lies beside it and may be named in it', async () => {
    const dir = await folder();
    const watched = { places: [join(dir, 'mine.yaml')], trees: [] };
    for (const file of ['mine.yaml', 'topology.yaml', 'new.yaml'])
      expect(await seen(watched, () => writeFile(join(dir, file), 'x'))).toBe(join(dir, file));
  });

  test('is no other file, be it written while one waits', async () => {
    const dir = await folder();
    const watched = { places: [join(dir, 'mine.yaml')], trees: [] };
    const change = await seen(watched, async () => {
      await writeFile(join(dir, 'notes.txt'), 'x');
      await writeFile(join(dir, 'mine.yaml'), 'x');
    });
    expect(change).toBe(join(dir, 'mine.yaml'));
  });

  test('is everything in a tree but its repository', async () => {
    const dir = await folder();
    const watched = { places: [], trees: [join(dir, 'tree')] };
    const change = await seen(watched, async () => {
      await writeFile(join(dir, 'tree/.git/index'), 'x');
      await writeFile(join(dir, 'tree/drivers/cxl/core.c'), 'x');
    });
    expect(change).toBe(join(dir, 'tree/drivers/cxl/core.c'));
  });

  test('is over when it is interrupted', async () => {
    const dir = await folder();
    const change = await seen({ places: [dir], trees: [] }, (controller) => controller.abort());
    expect(change).toBeUndefined();
  });
});
