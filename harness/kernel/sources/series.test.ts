import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDepot, type Depot } from './depot.js';
import { readSeries } from './series.js';

let dir: string;
let depot: Depot;
const cacheBefore = process.env['CXLRIG_CACHE'];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-series-'));
  process.env['CXLRIG_CACHE'] = join(dir, 'cache');
  depot = await openDepot();
});

afterAll(async () => {
  if (cacheBefore === undefined) delete process.env['CXLRIG_CACHE'];
  else process.env['CXLRIG_CACHE'] = cacheBefore;
  await rm(dir, { recursive: true, force: true });
});

const DIFF = (file: string) =>
  `diff --git a/${file} b/${file}\n--- a/${file}\n+++ b/${file}\n@@ -1 +1 @@\n-a\n+b\n`;

function mail(subject: string, body: string): string {
  return [
    'From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001',
    'From: A Developer <developer@example.org>',
    'Date: Sun, 22 Nov 2026 12:00:00 +0000',
    `Subject: ${subject}`,
    '',
    'Why.',
    '---',
    body,
    '-- ',
    '2.39.5',
    '',
    '',
  ].join('\n');
}

async function given(name: string, content: string | Buffer): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, content);
  return path;
}

const COVER = mail('[PATCH v2 0/2] two things', ' 2 files changed');
const FIRST = mail('[PATCH v2 1/2] dax: one thing', DIFF('drivers/dax/bus.c'));
const SECOND = mail(
  '[PATCH v2 2/2] cxl: another, with a subject that is long enough to be\n folded',
  DIFF('drivers/cxl/port.c'),
);
const REPLY = mail('Re: [PATCH v2 1/2] dax: one thing', DIFF('drivers/dax/bus.c'));

describe('a series in a mailbox', () => {
  it('has its patches in the order of their numbers, without cover letter and replies', async () => {
    const mailbox = await given('thread.mbox', COVER + REPLY + SECOND + FIRST);
    const patches = await readSeries(depot, [mailbox]);
    expect(patches.map(({ name, subject, touches }) => [name, subject, touches])).toEqual([
      ['thread.mbox [1/2]', 'dax: one thing', ['drivers/dax/bus.c']],
      [
        'thread.mbox [2/2]',
        'cxl: another, with a subject that is long enough to be folded',
        ['drivers/cxl/port.c'],
      ],
    ]);
  });

  it('may be gzipped', async () => {
    const mailbox = await given('t.mbox.gz', gzipSync(FIRST + SECOND));
    expect(await readSeries(depot, [mailbox])).toHaveLength(2);
  });

  it('that lacks a patch, or has one in two versions, is refused', async () => {
    const lacking = await given(
      'lacking.mbox',
      mail('[PATCH 1/3] a', DIFF('a')) + mail('[PATCH 3/3] c', DIFF('c')),
    );
    await expect(readSeries(depot, [lacking])).rejects.toThrow('lacking.mbox: patch 2/3 is missing');
    const twice = await given('twice.mbox', FIRST + SECOND + FIRST);
    await expect(readSeries(depot, [twice])).rejects.toThrow('patch 1/2 is there 2 times');
  });
});

describe('a series in a folder', () => {
  it('is in the order of its numbers, and a cover letter in it is skipped', async () => {
    const folder = join(dir, 'folder');
    await mkdir(folder);
    for (const [name, content] of Object.entries({
      '0000-cover-letter.patch': COVER,
      '10-c.patch': SECOND,
      '9-b.patch': FIRST,
      notes: '',
    }))
      await writeFile(join(folder, name), content);
    expect((await readSeries(depot, [folder])).map(({ name }) => name)).toEqual(['9-b.patch', '10-c.patch']);
  });

  it('follows the series file of quilt', async () => {
    const folder = join(dir, 'quilt');
    await mkdir(folder);
    await writeFile(join(folder, 'b.diff'), DIFF('b'));
    await writeFile(join(folder, 'a.diff'), `Some prose.\n\n${DIFF('a')}`);
    await writeFile(join(folder, 'series'), '# mine\nb.diff -p1\n\na.diff\n');
    expect((await readSeries(depot, [folder])).map(({ name }) => name)).toEqual(['b.diff', 'a.diff']);
  });
});

describe('a file that is no patch', () => {
  it('is refused by its name', async () => {
    const prose = await given('prose.txt', 'Nothing to apply.\n');
    await expect(readSeries(depot, [prose])).rejects.toThrow(`there is no patch in ${prose}`);
    await expect(readSeries(depot, [join(dir, 'absent.patch')])).rejects.toThrow(
      "absent.patch can't be read",
    );
  });

  it('is refused when a mail program has damaged it', async () => {
    const cut = await given('cut.patch', '--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n a\n-b\n+c\n');
    await expect(readSeries(depot, [cut])).rejects.toThrow(
      /cut.patch is no patch that git can read: .*corrupt/,
    );
  });
});
