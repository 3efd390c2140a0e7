import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nameTree } from '../sources/debian-source.js';
import { git, openDepot } from '../sources/depot.js';
import { cachedThings, removeThings, resolveKernel } from '../index.js';
import { fakePatch, writeFakeTree } from '../testing/fake-tree.js';
import { inOtherProcesses } from '../testing/processes.js';

/** What several commands do at the same time on one cache, with a kernel tree in the small. */
let dir: string;
let cache: string;
let tree: string;
let profile: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-at-once-'));
  cache = join(dir, 'cache');
  vi.stubEnv('CXLRIG_CACHE', cache);
  tree = join(dir, 'linux');
  profile = join(dir, 'fake.yaml');
  await writeFakeTree(tree);
  const config = { base: 'tinyconfig', options: ['CONFIG_DEV_DAX=y'] };
  await writeFile(profile, JSON.stringify({ cxlrig: 1, description: 'a fake', source: { tree }, config }));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

describe('a dozen at once', () => {
  test('name the same unpacked sources, and none of them touches their index', async () => {
    const depot = await openDepot();
    const index = join(dir, 'index');
    await git(depot, ['add', '--all', '--', '.'], { index, workTree: tree, purpose: 'read the tree' });
    const before = await stat(index);
    const names = await Promise.all(Array.from({ length: 12 }, () => nameTree(depot, index)));
    expect(new Set(names).size).toBe(1);
    expect((await stat(index)).mtimeMs).toBe(before.mtimeMs);
  });

  test('build, patch, configure, list and clean on one cache, and each of them succeeds', async () => {
    const patches = await Promise.all(
      ['bus', 'kmem'].map(async (name) => {
        const path = join(dir, `${name}.patch`);
        const line = `int ${name}_second(void);`;
        await writeFile(path, fakePatch(`drivers/dax/${name}.c`, line, `int ${name}_patched(void);`));
        return path;
      }),
    );
    const build = (...series: string[]) =>
      `kernel.resolveKernel(${JSON.stringify(profile)}, { patches: ${JSON.stringify(series)} })`;
    const builds = [build(), build(...patches), ...patches.map((patch) => build(patch))];
    const others = [`kernel.resolveConfig(${JSON.stringify(profile)})`, 'kernel.cachedThings()'];
    const clean = `kernel.cachedThings().then((things) =>
      kernel.removeThings(things.filter(({ kind }) => kind !== 'kernel'), () => undefined))`;
    const all = (jobs: readonly string[]) => `await Promise.all([${jobs.join(', ')}]);`;
    for (const temperature of ['cold', 'warm']) {
      const ended = await inOtherProcesses([
        all([...builds, ...others]),
        all([...builds, ...others]),
        all([clean]),
      ]);
      expect({ temperature, ended }).toEqual({ temperature, ended: ['well', 'well', 'well'] });
    }
    expect(await readFile((await resolveKernel(profile)).image, 'latin1')).toContain(
      'int kmem_second(void);',
    );
  }, 120_000);
});

describe('what is removed from the cache', () => {
  test('stays until those that use it have ended', async () => {
    const [using, enough] = [join(dir, 'using'), join(dir, 'enough')];
    const user = inOtherProcesses([
      `const { existsSync, writeFileSync } = await import('node:fs');
       const { image } = await kernel.resolveKernel(${JSON.stringify(profile)});
       writeFileSync(${JSON.stringify(using)}, image);
       while (!existsSync(${JSON.stringify(enough)})) await new Promise((resolve) => setTimeout(resolve, 50));`,
    ]);
    await expect.poll(() => existsSync(using), { timeout: 60_000 }).toBe(true);
    const image = await readFile(using, 'utf8');
    let waited = false;
    const removal = removeThings(await cachedThings(), () => (waited = true));
    await expect.poll(() => waited, { timeout: 10_000 }).toBe(true);
    await sleep(200);
    expect(existsSync(image)).toBe(true);
    await writeFile(enough, '');
    expect(await user).toEqual(['well']);
    await removal;
    expect(await cachedThings()).toEqual([]);
  }, 120_000);

  test('is nothing that somebody is making at this moment, and nothing that has gone meanwhile', async () => {
    await mkdir(join(cache, 'kernel', 'abc.draft-0123'), { recursive: true });
    await mkdir(join(cache, 'kernel-source', 'def.lock'), { recursive: true });
    expect(await cachedThings()).toEqual([]);
    const gone = {
      kind: 'kernel',
      name: 'x',
      path: join(cache, 'kernel', 'x'),
      bytes: 0,
      usedMs: 0,
    } as const;
    await removeThings([gone], () => undefined);
  });
});
