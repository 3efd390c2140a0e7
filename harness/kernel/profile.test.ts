import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fragmentNames, isBuilt, listProfiles, loadProfile } from './profile.js';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-profile-'));
});

afterAll(() => rm(dir, { recursive: true, force: true }));

async function given(text: string): Promise<string> {
  const file = join(dir, 'mine.yaml');
  await writeFile(file, `cxlrig: 1\ndescription: mine\n${text}`);
  return file;
}

describe('the shipped profiles', () => {
  it('are all valid, and their fragments are there', async () => {
    const profiles = await listProfiles();
    const fragments = await fragmentNames();
    expect(profiles.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['debian-stable', 'minimal', 'minimal-debug', 'stock']),
    );
    for (const profile of profiles)
      for (const fragment of profile.config.fragments) expect(fragments).toContain(fragment);
  });

  it('tell which of them are built here', async () => {
    expect(isBuilt(await loadProfile('minimal'))).toBe(true);
    expect(isBuilt(await loadProfile('stock'))).toBe(false);
  });
});

describe('a profile', () => {
  it('that is unknown ends in a hint and the names of all', async () => {
    const error = await loadProfile('stok').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      message: "there is no kernel profile 'stok'",
      remedy: expect.stringMatching(/did you mean stock\? \(there are: .*minimal/) as string,
    });
  });

  it('that is a folder ends in what such a folder may be', async () => {
    await expect(loadProfile(dir)).rejects.toMatchObject({
      message: `${dir} is a folder, not a kernel profile`,
      remedy: expect.stringContaining('cxlrig compare RUN RUN') as string,
    });
  });

  it('has paths relative to its file, and ~ for the home folder', async () => {
    const profile = await loadProfile(
      await given(
        'source: { tree: ~/src/linux }\nconfig: { base: ./my.config, fragments: [base] }\npatches: [series]\n',
      ),
    );
    expect(profile).toMatchObject({
      source: { tree: join(homedir(), 'src/linux') },
      config: { base: join(dir, 'my.config'), fragments: ['base'] },
      patches: [join(dir, 'series')],
    });
  });

  it('has one source', async () => {
    const file = await given('source: { tree: a, git: { repository: b, revision: c } }\n');
    await expect(loadProfile(file)).rejects.toThrow('a kernel comes from exactly one source');
  });

  it('of a ready-made kernel takes neither patches nor a configuration', async () => {
    const file = await given('source: { debian-image: { package: a, suite: stable } }\npatches: [x]\n');
    await expect(loadProfile(file)).rejects.toThrow(
      /mine.yaml:4:\d+: a kernel from debian-image is not built here, so it takes no patches/,
    );
  });
});
