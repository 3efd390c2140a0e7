import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { silent } from '../base/progress.js';
import { loadProfile, readSourceFiles } from '../kernel/index.js';
import { comparisonSchema, type Comparison } from '../report/compare/comparison.js';
import { cxlrig, workFolder } from '../testing/command.js';

const MINUTE = 60_000;
const KMEM = 'drivers/dax/kmem.c';

async function runIn(out: string): Promise<string> {
  const [run = ''] = await readdir(out);
  return join(out, run);
}

async function compared(run: string): Promise<Comparison> {
  return comparisonSchema.parse(JSON.parse(await readFile(join(run, 'compare.json'), 'utf8')));
}

/** A patch file that makes kmem add memory as movable to whatever zone comes. */
async function breakingPatch(dir: string): Promise<string> {
  const profile = await loadProfile('minimal');
  const { files } = await readSourceFiles(profile, '', [KMEM], { progress: silent });
  const source = files.get(KMEM) ?? '';
  const broken = source.replace(
    /^(\t+)online_type\);$/m,
    '$1online_type == MMOP_ONLINE_MOVABLE ? MMOP_ONLINE : online_type);',
  );
  expect(broken).not.toBe(source);
  for (const [side, text] of Object.entries({ a: source, b: broken })) {
    await mkdir(join(dir, side, 'drivers/dax'), { recursive: true });
    await writeFile(join(dir, side, KMEM), text);
  }
  const { stdout } = await execa('diff', ['-u', `a/${KMEM}`, `b/${KMEM}`], { cwd: dir, reject: false });
  const file = join(dir, 'movable-as-it-comes.patch');
  await writeFile(file, `${stdout}\n`);
  return file;
}

describe('cxlrig compare', () => {
  test(
    'tells what 7.3 does otherwise than 6.12, from new guests and from the saved run',
    { timeout: 20 * MINUTE },
    async () => {
      const out = await workFolder();
      const { exitCode, text } = await cxlrig([
        'compare',
        '--base',
        'debian-stable',
        '--head',
        'stock',
        'current/region-to-kmem',
        'current/dax-state-mixed',
        '-t',
        'policy=offline|mixed',
        '--out',
        out,
      ]);
      expect(exitCode).toBe(0);
      expect(text).toContain('1 new ability\n  daxX.Y/state came with 7.3\n    current/dax-state-mixed\n');
      expect(text).toMatch(/daxDevices\.dax-ram@1\.0\.state: absent -> offline/);
      expect(text).toContain('no regression');
      const run = await runIn(out);
      expect((await compared(run)).counts).toEqual({ 'new-ability': 1, behaviour: 1 });
      expect(text).toContain('report.html#?view=compare');

      const again = await cxlrig(['compare', run, '--base', 'stock', '--head', 'debian-stable']);
      expect(again.exitCode).toBe(1);
      expect(again.text).toContain('1 lost ability');
    },
  );

  test(
    'shows precisely the cases that a patch to drivers/dax/kmem.c breaks',
    { timeout: 60 * MINUTE },
    async () => {
      const dir = await workFolder();
      const patch = await breakingPatch(dir);
      const out = join(dir, 'runs');
      const { exitCode, text } = await cxlrig([
        'compare',
        '--base',
        'minimal',
        '--patches',
        patch,
        '--out',
        out,
        '--',
        'current/region-to-kmem',
      ]);
      expect(text).toMatch(/^regression +current\/region-to-kmem \[policy=online_movable\]/m);
      expect(exitCode).toBe(1);
      const run = await runIn(out);
      const { counts, cases, head } = await compared(run);
      expect(counts).toEqual({ regression: 1, same: 3 });
      expect(cases[0]?.head?.reason).toMatch(/zone/);
      expect(head.origin).toContain('movable-as-it-comes.patch');

      const mail = await cxlrig(['compare', run, '--format', 'mail']);
      expect(mail.text).toMatch(/^REGRESSION: current\/region-to-kmem \[policy=online_movable\]$/m);
      expect(mail.text).toContain('movable-as-it-comes.patch');
      expect(await readFile(join(run, 'compare.md'), 'utf8')).toContain('#### 1 regression');
    },
  );
});

describe('cxlrig compare, before anything is booted,', () => {
  test.each([
    ['no kernel to compare with', ['compare', 'current'], '--head'],
    ['one kernel twice', ['compare', '--head', 'stock'], 'both stock'],
    [
      'patches for a kernel that is not built here',
      ['compare', '--head', 'stock', '--patches', '/nowhere'],
      'ready-made',
    ],
    ['an unknown kernel', ['compare', '--head', 'stok'], 'stock'],
    ['a run of one kernel', ['compare', join(packageRoot, 'harness/report/testing/run')], 'the base first'],
    [
      'a run and a scenario',
      ['compare', join(packageRoot, 'harness/report/testing/run'), 'current'],
      'not the folder of a run',
    ],
  ])('refuses %s with exit code 2 and says what to type', async (_, args, hint) => {
    const { exitCode, text } = await cxlrig(args);
    expect(exitCode).toBe(2);
    expect(text).toContain(hint);
  });
});
