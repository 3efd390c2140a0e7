import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseProfile, chooseProfiles } from './choose.js';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-choose-'));
  await mkdir(join(dir, 'linux'));
  await writeFile(join(dir, 'linux/Kconfig'), '');
});

afterAll(() => rm(dir, { recursive: true, force: true }));

describe('the kernels of a command line', () => {
  it('are stock when nothing is said', async () => {
    expect((await chooseProfiles({ profiles: [] })).map(({ name }) => name)).toEqual(['stock']);
  });

  it('are minimal when only patches are given, and are named by profile and patches', async () => {
    const profile = await chooseProfile({ patches: ['/somewhere/0001-foo.patch'] });
    expect(profile).toMatchObject({ name: 'minimal+0001-foo.patch', patches: ['/somewhere/0001-foo.patch'] });
    const { name } = await chooseProfile({
      profile: 'minimal-debug',
      patches: ['a/1.patch', 'a/2.patch', 'b/'],
    });
    expect(name).toBe('minimal-debug+1.patch..b');
  });

  it('get the patches each, after their own', async () => {
    const profiles = await chooseProfiles({
      profiles: ['minimal', 'region-drivers', 'minimal'],
      patches: ['/x.patch'],
    });
    expect(profiles.map(({ name }) => name)).toEqual(['minimal+x.patch', 'region-drivers+x.patch']);
    expect(profiles[1]?.patches).toEqual([expect.stringMatching(/series\/region-drivers$/), '/x.patch']);
  });

  it('are a tree by itself, in our configuration where it has none of its own', async () => {
    const tree = join(dir, 'linux');
    const { config: small } = await chooseProfile({ profile: 'minimal' });
    expect(await chooseProfile({ kernelTree: tree })).toMatchObject({
      name: tree,
      source: { tree },
      config: small,
    });
    expect(await chooseProfile({ profile: tree })).toMatchObject({ source: { tree } });
    await writeFile(join(tree, '.config'), '');
    expect((await chooseProfile({ kernelTree: tree })).config.base).toBe('tree');
  });

  it('are a tree in the configuration of each profile, also at a commit of it', async () => {
    const tree = join(dir, 'linux');
    const profiles = await chooseProfiles({ profiles: ['minimal', 'minimal-debug'], kernelTree: tree });
    expect(profiles.map(({ name, source, config }) => [name, source, config.fragments])).toEqual([
      [`${tree} as minimal`, { tree }, ['base']],
      [`${tree} as minimal-debug`, { tree }, ['base', 'debug']],
    ]);
    expect(await chooseProfile({ kernelTree: tree, revision: 'v7.3' })).toMatchObject({
      name: `${tree} v7.3`,
      source: { git: { repository: tree, revision: 'v7.3' } },
    });
  });

  it('are refused when one that comes ready-made is to be patched or configured, with what to type instead', async () => {
    await expect(chooseProfiles({ profiles: ['minimal', 'stock'], patches: ['x'] })).rejects.toMatchObject({
      message: "the kernel stock comes ready-made, so patches can't be applied to it",
      remedy: 'build one from source: --kernel minimal --patches ...',
    });
    await expect(chooseProfile({ profile: 'stock', kernelTree: 'linux' })).rejects.toMatchObject({
      remedy: expect.stringContaining('--kernel stock --kernel ./linux') as string,
    });
  });
});
