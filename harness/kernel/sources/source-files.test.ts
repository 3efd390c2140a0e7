import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silent } from '../../base/progress.js';
import { chooseProfile, readSourceFiles, type Profile } from '../index.js';
import { fakePatch, sourceFile, writeFakeTree } from '../testing/fake-tree.js';

let dir: string;
let tree: string;
const cacheBefore = process.env['CXLRIG_CACHE'];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-sources-'));
  process.env['CXLRIG_CACHE'] = join(dir, 'cache');
  tree = join(dir, 'linux');
  await writeFakeTree(tree);
});

afterEach(async () => {
  if (cacheBefore === undefined) delete process.env['CXLRIG_CACHE'];
  else process.env['CXLRIG_CACHE'] = cacheBefore;
  await rm(dir, { recursive: true, force: true });
});

describe('the files of kernel sources', () => {
  it('are those of the folders that are asked for, as they lie in the tree', async () => {
    const profile = await chooseProfile({ kernelTree: tree });
    const { label, files } = await readSourceFiles(profile, '9.9.0', ['drivers/dax'], { progress: silent });
    expect([...files.keys()].sort()).toEqual(['drivers/dax/bus.c', 'drivers/dax/kmem.c']);
    expect(files.get('drivers/dax/bus.c')).toBe(sourceFile('bus'));
    expect(label).toContain(tree);
  });

  it('have the series on them', async () => {
    const patch = join(dir, 'one.patch');
    await writeFile(patch, fakePatch('drivers/dax/kmem.c', '// kmem', '// patched'));
    const profile = await chooseProfile({ kernelTree: tree, patches: [patch] });
    const { label, files } = await readSourceFiles(profile, '9.9.0', ['drivers'], { progress: silent });
    expect(files.get('drivers/dax/kmem.c')).toMatch(/^\/\/ patched\n/);
    expect(files.get('drivers/dax/bus.c')).toBe(sourceFile('bus'));
    expect(label).toContain('1 patch');
  });

  it('are not known of a kernel that came ready-made', async () => {
    const profile = await chooseProfile({ kernelTree: tree });
    const ready: Profile = { ...profile, source: { ready: { image: '/x', modules: '/y' } } };
    await expect(readSourceFiles(ready, '9.9.0', ['drivers'], { progress: silent })).rejects.toThrow(
      /nothing is known of the sources/,
    );
  });
});
