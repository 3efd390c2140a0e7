import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cached, contentKey } from './cache.js';
import { RigError } from '../errors.js';
import { packageRoot } from '../places.js';
import type { ProgressUpdate } from '../progress.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cxlrig-cache-'));
});
afterEach(() => rm(root, { recursive: true }));

const hello = (dir: string) => writeFile(join(dir, 'hello'), 'hello');

describe('a content key', () => {
  test('is the same for the same parts and tells parts apart', () => {
    expect(contentKey('a', 'b')).toBe(contentKey('a', 'b'));
    expect(contentKey('a', 'b')).not.toBe(contentKey('ab'));
    expect(contentKey('a', '')).not.toBe(contentKey('a'));
    expect(contentKey('é')).toBe(contentKey(Buffer.from('é')));
  });
});

describe('the cache', () => {
  test('builds an entry once and gives it back afterwards', async () => {
    let builds = 0;
    const build = async (dir: string) => {
      builds++;
      await hello(dir);
    };
    const first = await cached('kind', 'key', build, { root });
    const second = await cached('kind', 'key', build, { root });
    expect([first.reused, second.reused, builds]).toEqual([false, true, 1]);
    expect(await readFile(join(second.dir, 'hello'), 'utf8')).toBe('hello');
  });

  test('publishes nothing and leaves nothing when the build fails', async () => {
    const boom = async (dir: string) => {
      await hello(dir);
      throw new Error('boom');
    };
    await expect(cached('kind', 'key', boom, { root })).rejects.toThrow('boom');
    expect(await readdir(join(root, 'kind'))).toEqual([]);
    await expect(cached('kind', 'key', hello, { root })).resolves.toMatchObject({ reused: false });
  });

  test('lets one of many callers build while the others wait and say so', async () => {
    let builds = 0;
    const updates: ProgressUpdate[] = [];
    const build = async (dir: string) => {
      builds++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      await hello(dir);
    };
    const entries = await Promise.all(
      Array.from({ length: 5 }, () =>
        cached('kind', 'key', build, { root, progress: (update) => updates.push(update) }),
      ),
    );
    expect(builds).toBe(1);
    expect(entries.filter(({ reused }) => !reused)).toHaveLength(1);
    expect(updates[0]?.task).toContain('another run');
  });

  test('keeps different entries apart without waiting', async () => {
    let inside = 0;
    let most = 0;
    const build = async (dir: string) => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await hello(dir);
      inside--;
    };
    await Promise.all(['a', 'b'].map((key) => cached('kind', key, build, { root })));
    expect(most).toBe(2);
  });

  test('takes over from a builder that was killed, and removes what it left', async () => {
    const dir = join(root, 'kind', 'key');
    // what kill -9 leaves: a lock that nobody refreshes and half a draft
    await mkdir(`${dir}.lock`, { recursive: true });
    await mkdir(`${dir}.draft-dead`);
    await writeFile(`${dir}.draft-dead/half`, 'x');
    const entry = await cached('kind', 'key', hello, { root, staleMs: 2000 });
    expect(entry.reused).toBe(false);
    expect(await readdir(join(root, 'kind'))).toEqual(['key']);
  });

  test('waits for a builder in another process and uses what it made', async () => {
    const dir = join(root, 'kind', 'key');
    await mkdir(join(root, 'kind'));
    const builder = spawn(process.execPath, [
      '-e',
      `const fs = require('fs');
       fs.mkdirSync(${JSON.stringify(`${dir}.lock`)});
       fs.mkdirSync(${JSON.stringify(`${dir}.draft-other`)});
       fs.writeFileSync(${JSON.stringify(`${dir}.draft-other/hello`)}, 'other');
       fs.writeFileSync(${JSON.stringify(`${dir}.draft-other/.cxlrig-entry.json`)}, '[["hello",5]]');
       console.log('locked');
       setTimeout(() => {
         fs.renameSync(${JSON.stringify(`${dir}.draft-other`)}, ${JSON.stringify(dir)});
         fs.rmdirSync(${JSON.stringify(`${dir}.lock`)});
       }, 300);`,
    ]);
    await once(builder.stdout, 'data');
    const entry = await cached('kind', 'key', hello, { root });
    expect(entry.reused).toBe(true);
    expect(await readFile(join(entry.dir, 'hello'), 'utf8')).toBe('other');
  });

  test('removes orphaned drafts of other entries but not those that are being built', async () => {
    const kind = join(root, 'kind');
    await mkdir(join(kind, 'dead.draft-1'), { recursive: true });
    await mkdir(join(kind, 'alive.draft-1'));
    await mkdir(join(kind, 'alive.lock'));
    await cached('kind', 'key', hello, { root });
    expect((await readdir(kind)).sort()).toEqual(['alive.draft-1', 'alive.lock', 'key']);
  });

  test('builds anew an entry of which a file was cut short or lost', async () => {
    const { dir } = await cached('kind', 'key', hello, { root });
    await truncate(join(dir, 'hello'), 0);
    expect(await cached('kind', 'key', hello, { root })).toMatchObject({ reused: false });
    await rm(join(dir, 'hello'));
    expect(await cached('kind', 'key', hello, { root })).toMatchObject({ reused: false });
    expect(await readFile(join(dir, 'hello'), 'utf8')).toBe('hello');
  });

  test('drives out what was unused for long when more than so many are kept', async () => {
    const keep = { root, keep: 2 };
    for (const key of ['old', 'older', 'reused']) {
      const { dir } = await cached('kind', key, hello, keep);
      const hoursAgo = new Date(Date.now() - (key === 'older' ? 9 : 8) * 60 * 60_000);
      await utimes(join(dir, '.cxlrig-entry.json'), hoursAgo, hoursAgo);
    }
    await cached('kind', 'reused', hello, keep);
    await cached('kind', 'new', hello, keep);
    expect((await readdir(join(root, 'kind'))).sort()).toEqual(['new', 'reused']);
    // too young to go, for somebody may be booting from it
    await cached('kind', 'newer', hello, keep);
    expect((await readdir(join(root, 'kind'))).sort()).toEqual(['new', 'newer', 'reused']);
  });

  test('survives losing its lock to a process that took it for dead', async () => {
    const dir = join(root, 'kind', 'key');
    let builds = 0;
    const build = async (draft: string) => {
      builds++;
      if (builds === 1) {
        // another process finds the lock stale, removes the draft and takes over; its heartbeat differs from ours
        await rm(draft, { recursive: true });
        await utimes(`${dir}.lock`, new Date(), new Date(Date.now() - 60_000));
        await new Promise((resolve) => setTimeout(resolve, 1500));
      }
      await hello(draft);
    };
    const entry = await cached('kind', 'key', build, { root, staleMs: 4000 });
    expect(await readFile(join(entry.dir, 'hello'), 'utf8')).toBe('hello');
    expect(builds).toBe(2);
  });
});

describe('a cache that can’t be used', () => {
  test('because a file is in its place says so with a remedy', async () => {
    await writeFile(join(root, 'file'), '');
    const failure = await cached('kind', 'key', hello, { root: join(root, 'file') }).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(RigError);
    expect(failure).toMatchObject({
      stage: 'host',
      remedy: expect.stringContaining('CXLRIG_CACHE') as string,
    });
  });

  test('because it is read-only still gives the entries that are there', async () => {
    await cached('kind', 'key', hello, { root });
    const [reused, missing] = await asReadOnly(root, ['key', 'other']);
    expect(reused).toBe('reused');
    expect(missing).toContain("can't be written");
  });

  test.each([
    ['the file system', Object.assign(new Error('write'), { code: 'ENOSPC' })],
    [
      'a tool',
      Object.assign(new Error('exit 1'), { stderr: 'tar: x: Cannot write: No space left on device' }),
    ],
  ])('because the disk is full, as %s reports it, says so', async (_, error) => {
    const failure = await cached('kind', 'key', () => Promise.reject(error), { root }).catch(
      (e: unknown) => e,
    );
    expect(failure).toBeInstanceOf(RigError);
    expect(String(failure)).toContain('disk is full');
  });

  test('does not hide what else went wrong in a build', async () => {
    const error = Object.assign(new Error('no such file'), { code: 'ENOENT', path: '/elsewhere' });
    await expect(cached('kind', 'key', () => Promise.reject(error), { root })).rejects.toBe(error);
  });
});

/** What each key gives to somebody who may read `dir` but not write there. */
async function asReadOnly(dir: string, keys: readonly string[]): Promise<string[]> {
  for (const path of [dir, join(dir, 'kind')]) await chmod(path, 0o555);
  const node = ['node', '--input-type=module', '-e', READER, dir, ...keys];
  // modes do not stop root, unless it gives up the right to pass over them
  const asUser = process.geteuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override'] : [];
  const [program = '', ...args] = [...asUser, ...node];
  try {
    const { stdout } = await execa(program, args, { cwd: packageRoot, stdin: 'ignore' });
    return JSON.parse(stdout) as string[];
  } finally {
    for (const path of [dir, join(dir, 'kind')]) await chmod(path, 0o755);
  }
}

/** A process of its own has no TypeScript. */
const READER = `
import { createServer } from 'vite';
const server = await createServer({ configFile: false, logLevel: 'silent', server: { middlewareMode: true, hmr: false, watch: null } });
const { cached } = await server.ssrLoadModule('/harness/base/cache/cache.ts');
const [, root, ...keys] = process.argv;
const answers = [];
for (const key of keys) {
  const built = cached('kind', key, async () => undefined, { root });
  answers.push(await built.then(({ reused }) => (reused ? 'reused' : 'built'), String));
}
console.log(JSON.stringify(answers));
process.exit(0);
`;
