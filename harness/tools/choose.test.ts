import { describe, expect, test } from 'vitest';
import { UsageError } from '../base/errors.js';
import { loadProfile } from '../kernel/profile.js';
import { chooseTools, listTools, withTools } from './index.js';

async function refusal(work: Promise<unknown>): Promise<UsageError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UsageError)) throw new Error('it was not refused');
  return error;
}

describe('the tools that a command line means', () => {
  test("are the image's own packages when it says nothing, or names them", async () => {
    expect(await chooseTools({})).toBeUndefined();
    expect(await chooseTools({ tools: 'debian' })).toBeUndefined();
  });

  test('are built from source when there are patches', async () => {
    const tools = await chooseTools({ ndctlPatches: ['/series/0001-a.patch', '/series/0002-b.patch'] });
    expect(tools?.name).toBe('debian-source+0001-a.patch..0002-b.patch');
    expect(tools?.patches).toEqual(['/series/0001-a.patch', '/series/0002-b.patch']);
  });

  test('are a tree, or a commit of it', async () => {
    expect((await chooseTools({ ndctlTree: '/src/ndctl' }))?.source).toEqual({ tree: '/src/ndctl' });
    expect((await chooseTools({ ndctlTree: '/src/ndctl', revision: 'v81' }))?.source).toEqual({
      git: { repository: '/src/ndctl', revision: 'v81' },
    });
  });

  test('make a kernel of another name of the kernel they are tested with', async () => {
    const kernel = await loadProfile('stock');
    const pair = withTools(kernel, await chooseTools({ tools: 'region-driver' }));
    expect(pair.name).toBe('stock+ndctl region-driver');
    expect(withTools(kernel, undefined)).toBe(kernel);
  });

  test.each([
    [{ tools: 'region-drivr' }, "there are no tools 'region-drivr'", 'region-driver'],
    [{ tools: './nowhere.yaml' }, 'there is no profile of tools', ''],
    [{ tools: 'debian', ndctlPatches: ['x.patch'] }, "patches can't be applied", '--tools debian-source'],
    [{ tools: 'debian-source', ndctlTree: '/src' }, 'two sources of the tools', 'one of them'],
  ])('are refused for %o, with a remedy', async (choice, message, remedy) => {
    const error = await refusal(chooseTools(choice));
    expect(error.message).toContain(message);
    expect(error.remedy ?? '').toContain(remedy);
  });

  test('are those of every shipped profile', async () => {
    expect((await listTools()).map(({ name }) => name)).toEqual(['debian', 'debian-source', 'region-driver']);
  });
});
