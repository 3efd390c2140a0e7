import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../base/errors.js';
import { packageRoot } from '../../base/places.js';
import { BuildFailed } from './build-failure.js';
import { resolveEachPatch, resolveKernel } from '../index.js';
import { fakePatch, writeFakeTree } from '../testing/fake-tree.js';

let dir: string;
let tree: string;
let profile: string;
const cacheBefore = process.env['CXLRIG_CACHE'];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-build-'));
  process.env['CXLRIG_CACHE'] = join(dir, 'cache');
  tree = join(dir, 'linux');
  profile = join(dir, 'fake.yaml');
  await writeFakeTree(tree);
  await writeProfile({});
});

afterEach(async () => {
  if (cacheBefore === undefined) delete process.env['CXLRIG_CACHE'];
  else process.env['CXLRIG_CACHE'] = cacheBefore;
  await rm(dir, { recursive: true, force: true });
});

describe('a kernel built from source', () => {
  it('has the release, the configuration and the modules of the build', async () => {
    const kernel = await resolveKernel(profile);
    expect(kernel).toMatchObject({ release: '9.9.0-fake', format: 'bzimage', cmdline: ['quiet'] });
    expect(await readFile(kernel.image, 'latin1')).toContain('int kmem_second(void);');
    expect(await readFile(kernel.config, 'utf8')).toContain('CONFIG_DEV_DAX=y\n');
    expect((await readdir(kernel.modulesDir)).includes('modules.dep')).toBe(true);
    expect(await readdir(kernel.modulesDir)).not.toContain('build');
  });

  it('is not built a second time from the same inputs', async () => {
    const first = await resolveKernel(profile);
    await rm(join(await place(), 'build.log'));
    const second = await resolveKernel(profile);
    expect(second).toEqual(first);
    expect(existsSync(join(await place(), 'build.log'))).toBe(false);
  });

  it('is built once when two runs want it at the same time', async () => {
    const kernels = await Promise.all([resolveKernel(profile), resolveKernel(profile)]);
    expect(kernels[0].id).toBe(kernels[1].id);
    expect(await compiledObjects()).toEqual([
      'drivers/cxl/region.o',
      'drivers/dax/bus.o',
      'drivers/dax/kmem.o',
    ]);
  });

  it('counts the objects that are to compile', async () => {
    const details: string[] = [];
    await resolveKernel(profile, {
      progress: ({ task, detail = '' }) => {
        if (task === 'build the kernel') details.push(detail);
      },
    });
    expect(details.some((detail) => detail.startsWith('3/3 '))).toBe(true);
  });

  it('names each option that did not survive, with what it lacks', async () => {
    await writeProfile({ options: ['CONFIG_DEV_DAX_HMEM=y', 'CONFIG_DEV_DAY=y'] });
    const error = await failure(resolveKernel(profile));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain('CONFIG_DEV_DAX_HMEM=y');
    expect(error.message).toContain('it depends on EFI_SOFT_RESERVE=n');
    expect(error.message).toContain('did you mean CONFIG_DEV_DAX?');
  });

  it('that could not boot as a guest is refused before it is built', async () => {
    await writeProfile({ options: ['# CONFIG_VIRTIO_NET is not set'] });
    const error = await failure(resolveKernel(profile));
    expect(error.message).toMatch(/without what a guest needs:\n {2}CONFIG_VIRTIO_NET=y or m: SSH/);
  });

  it('comes from a revision of a git repository, fetched from an address or read in its folder', async () => {
    await commitTree();
    await writeFile(join(tree, 'drivers/dax/kmem.c'), 'int later;\n');
    await writeProfile({ source: { git: { repository: `file://${tree}`, revision: 'HEAD' } } });
    const kernel = await resolveKernel(profile);
    expect(await readFile(kernel.image, 'latin1')).toContain('int kmem_second(void);');
    expect(kernel.origin).toMatch(/linux HEAD \([0-9a-f]{12}\)$/);
    await writeProfile({ source: { git: { repository: tree, revision: 'HEAD' } } });
    const read = await resolveKernel(profile);
    expect(read.id).toBe(kernel.id);
    const error = await failure(
      writeProfile({ source: { git: { repository: tree, revision: 'v99' } } }).then(() =>
        resolveKernel(profile),
      ),
    );
    expect(error.message).toMatch(/has no revision v99/);
  });
});

describe('a series', () => {
  it('rebuilds only what it touches, and so does taking it away', async () => {
    await resolveKernel(profile);
    const patched = await resolveKernel(profile, {
      patches: [
        await patch('1.patch', 'drivers/dax/kmem.c', 'int kmem_second(void);', 'int kmem_patched(void);'),
      ],
    });
    expect(await readFile(patched.image, 'latin1')).toContain('int kmem_patched(void);');
    expect(await compiledObjects()).toEqual(['drivers/dax/kmem.o']);
    const other = await resolveKernel(profile, {
      patches: [
        await patch(
          '2.patch',
          'drivers/cxl/region.c',
          'int region_first(void);',
          'int region_patched(void);',
        ),
      ],
    });
    expect(await compiledObjects()).toEqual(['drivers/cxl/region.o', 'drivers/dax/kmem.o']);
    expect(await readFile(other.image, 'latin1')).not.toContain('int kmem_patched(void);');
    expect(await readFile(other.image, 'latin1')).toContain('int region_patched(void);');
  });

  it('that does not apply is refused with its name, the file and the hunk, and nothing is built', async () => {
    const good = await patch('0001-good.patch', 'drivers/dax/kmem.c', 'int kmem_second(void);', 'int a;');
    const clash = await patch('0002-clash.patch', 'drivers/dax/kmem.c', 'int kmem_third(void);', 'int b;');
    const error = await failure(resolveKernel(profile, { patches: [good, clash] }));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(
      '0002-clash.patch ("change drivers/dax/kmem.c") (patch 2 of 2) does not apply',
    );
    expect(error.message).toContain('patch failed: drivers/dax/kmem.c:1');
    expect(error.message).toContain('@@ -1,4 +1,4 @@\n // kmem');
    expect(existsSync(join(dir, 'cache/kernel-build'))).toBe(false);
  });

  it('that the sources have already is called that', async () => {
    const good = await patch('0001-good.patch', 'drivers/dax/kmem.c', 'int kmem_second(void);', 'int a;');
    const error = await failure(resolveKernel(profile, { patches: [good, good] }));
    expect((error as { remedy?: string }).remedy).toContain('in these sources already');
  });

  it('whose second patch does not compile is reported by that patch and the compiler', async () => {
    const series = await breakingSeries();
    const error = await failure(resolveKernel(profile, { patches: [series] }));
    expect(error).toBeInstanceOf(BuildFailed);
    expect(error.message).toContain('most likely by 0002-break.patch');
    expect((error as { evidence?: readonly string[] }).evidence?.[0]).toBe(
      'drivers/dax/bus.c:3:2: error: planted',
    );
  });

  it('can be built after each patch; a patch that does not build does not end it', async () => {
    const series = await breakingSeries();
    const reported: number[] = [];
    const steps = await resolveEachPatch(profile, { patches: [series] }, ({ number }) => {
      reported.push(number);
      return Promise.resolve();
    });
    expect(reported).toEqual([1, 2]);
    expect(
      steps.map(({ patch: { name }, kernel, error }) => [name, kernel !== undefined, error?.message]),
    ).toEqual([
      ['0001-good.patch', true, undefined],
      ['0002-break.patch', false, expect.stringContaining('does not build') as string],
    ]);
  });

  it('is refused for a kernel that comes ready-made', async () => {
    const error = await failure(resolveKernel('stock', { patches: [await breakingSeries()] }));
    expect(error.message).toBe("the kernel stock comes ready-made, so patches can't be applied to it");
  });
});

describe('a kernel tree', () => {
  it('that was built in is built elsewhere as it is, and nothing in it changes', async () => {
    await commitTree();
    await writeFile(join(tree, 'drivers/dax/kmem.c'), '// kmem\nint uncommitted;\n');
    await writeFile(join(tree, 'drivers/dax/kmem.o'), 'stale');
    await resolveKernel(profile);
    await writeFile(join(tree, '.config'), await readFile(await configOfLast(), 'utf8'));
    const before = await fingerprint(tree);
    const kernel = await resolveKernel(undefined, { kernelTree: tree });
    expect(await readFile(kernel.image, 'latin1')).toContain('int uncommitted;');
    expect(await readFile(kernel.image, 'latin1')).not.toContain('stale');
    expect(kernel.origin).toMatch(/linux at [0-9a-f]{12} \(modified\)$/);
    expect(await fingerprint(tree)).toEqual(before);
  });

  it('is built again only where it was edited', async () => {
    await resolveKernel(profile, { kernelTree: tree });
    await writeFile(join(tree, 'drivers/dax/bus.c'), '// bus\nint edited;\n');
    const kernel = await resolveKernel(profile, { kernelTree: tree });
    expect(await readFile(kernel.image, 'latin1')).toContain('int edited;');
    expect(await compiledObjects()).toEqual(['drivers/dax/bus.o']);
  });

  it('that is none is refused', async () => {
    const error = await failure(resolveKernel(profile, { kernelTree: join(dir, 'cache') }));
    expect(error.message).toContain('is not a kernel tree');
  });
});

describe('sources without a place of their own', () => {
  it('are built where others are that only source files tell apart', async () => {
    await resolveKernel(profile);
    const branch = await copyOfTree('branch');
    await writeFile(join(branch, 'drivers/dax/bus.c'), '// bus\nint branched;\n');
    const kernel = await resolveKernel(profile, { kernelTree: branch });
    expect(await readFile(kernel.image, 'latin1')).toContain('int branched;');
    expect(await compiledObjects()).toEqual(['drivers/dax/bus.o']);
    expect(await places()).toHaveLength(1);
  });

  it('are built there also when the configuration of the others has been edited since', async () => {
    const fragment = join(dir, 'extra.config');
    await writeFile(fragment, '# CONFIG_DEV_DAX is not set\n');
    await writeProfile({ options: [], fragments: [fragment] });
    await resolveKernel(profile);
    await writeFile(fragment, 'CONFIG_DEV_DAX=y\n');
    await resolveKernel(profile);
    const branch = await copyOfTree('branch');
    await writeFile(join(branch, 'drivers/dax/bus.c'), '// bus\nint branched;\n');
    await resolveKernel(profile, { kernelTree: branch });
    expect(await compiledObjects()).toEqual(['drivers/dax/bus.o']);
    expect(await places()).toHaveLength(1);
  });

  it('get one when another file differs, or the configuration', async () => {
    await resolveKernel(profile);
    const branch = await copyOfTree('branch');
    await writeFile(join(branch, 'drivers/dax/dax.h'), 'int everywhere;\n');
    await resolveKernel(profile, { kernelTree: branch });
    expect(await places()).toHaveLength(2);
    await writeProfile({ options: ['# CONFIG_DEV_DAX is not set'] });
    await resolveKernel(profile, { kernelTree: await copyOfTree('other') });
    expect(await places()).toHaveLength(3);
  });
});

describe('a build that is killed', () => {
  it('is resumed by the next run, with what had been compiled', async () => {
    const waits = await patch('wait.patch', 'drivers/dax/kmem.c', 'int kmem_second(void);', '#wait');
    const child = execa('node', ['--input-type=module', '-e', CHILD, profile, waits], {
      cwd: packageRoot,
      env: { CXLRIG_CACHE: join(dir, 'cache') },
      reject: false,
    });
    await until(
      async () => (await compiledObjects()).length === 2 && existsSync(await objectFile('kmem.waits')),
    );
    child.kill('SIGKILL');
    await child;
    // the compiler that was running ends when it is done, and not before
    await writeFile(await objectFile('kmem.go'), '');
    const kernel = await resolveKernel(profile, { patches: [waits] });
    expect(await readFile(kernel.image, 'latin1')).toContain('#wait');
    const again = await compiledObjects();
    expect(again).not.toContain('drivers/dax/bus.o');
    expect(again).not.toContain('drivers/cxl/region.o');
  }, 60_000);

  it('by an interrupt ends at once, and the next run goes on', async () => {
    const waits = await patch('wait.patch', 'drivers/dax/kmem.c', 'int kmem_second(void);', '#wait');
    const interrupt = new AbortController();
    const building = failure(resolveKernel(profile, { patches: [waits], signal: interrupt.signal }));
    await until(async () => existsSync(await objectFile('kmem.waits')));
    interrupt.abort(new DOMException('interrupted', 'AbortError'));
    expect((await building).name).toBe('AbortError');
    await writeFile(await objectFile('kmem.go'), '');
    expect(await readFile((await resolveKernel(profile, { patches: [waits] })).image, 'latin1')).toContain(
      '#wait',
    );
  }, 60_000);

  it('while the sources were changed leaves nothing half applied', async () => {
    await resolveKernel(profile);
    const where = await place();
    // what a git that is killed between two files leaves
    await writeFile(join(where, 'checking-out'), '');
    await writeFile(join(where, 'index.lock'), '');
    await writeFile(join(where, 'src/drivers/dax/kmem.c'), 'half');
    await writeFile(join(where, 'src/drivers/dax/added.c'), 'int leftover;');
    const series = await patch('1.patch', 'drivers/dax/bus.c', 'int bus_second(void);', 'int patched;');
    const kernel = await resolveKernel(profile, { patches: [series] });
    const image = await readFile(kernel.image, 'latin1');
    expect(image).toContain('int kmem_second(void);');
    expect(image).toContain('int patched;');
    expect(image).not.toMatch(/half|leftover/);
  });
});

/** Runs a build in a process of its own, which has no TypeScript. */
const CHILD = `
import { createServer } from 'vite';
const server = await createServer({ configFile: false, logLevel: 'silent', server: { middlewareMode: true, hmr: false, watch: null } });
const { resolveKernel } = await server.ssrLoadModule('/harness/kernel/index.ts');
await resolveKernel(process.argv[1], { patches: [process.argv[2]] });
process.exit(0);
`;

async function writeProfile({
  options = ['CONFIG_DEV_DAX=y'],
  fragments = [] as readonly string[],
  source = { tree } as object,
}): Promise<void> {
  await writeFile(
    profile,
    JSON.stringify({
      cxlrig: 1,
      description: 'a fake',
      source,
      config: { base: 'tinyconfig', fragments, options },
      cmdline: ['quiet'],
    }),
  );
}

async function patch(name: string, path: string, before: string, after: string): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, fakePatch(path, before, after));
  return file;
}

async function breakingSeries(): Promise<string> {
  const series = join(dir, 'series');
  await mkdir(series);
  const write = (name: string, path: string, before: string, after: string) =>
    writeFile(join(series, name), fakePatch(path, before, after));
  await write('0001-good.patch', 'drivers/dax/kmem.c', 'int kmem_second(void);', 'int good;');
  await write('0002-break.patch', 'drivers/dax/bus.c', 'int bus_second(void);', '#error planted');
  return series;
}

async function copyOfTree(name: string): Promise<string> {
  await cp(tree, join(dir, name), { recursive: true });
  return join(dir, name);
}

async function commitTree(): Promise<void> {
  const git = (...args: string[]) =>
    execa('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], { cwd: tree });
  await git('init', '-q');
  await git('add', '-A');
  await git('commit', '-q', '-m', 'all');
}

async function place(): Promise<string> {
  const folder = join(dir, 'cache/kernel-build');
  const names = await places();
  const times = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs));
  return join(folder, names[times.indexOf(Math.max(...times))] ?? '');
}

/** Without their locks. */
async function places(): Promise<string[]> {
  return (await readdir(join(dir, 'cache/kernel-build'))).filter((name) => !name.endsWith('.lock'));
}

async function objectFile(name: string): Promise<string> {
  return join(await place(), 'obj/drivers/dax', name);
}

async function configOfLast(): Promise<string> {
  return join(await place(), 'obj/.config');
}

async function log(): Promise<string> {
  return readFile(join(await place(), 'build.log'), 'utf8').catch(() => '');
}

async function compiledObjects(): Promise<string[]> {
  if (!existsSync(join(dir, 'cache/kernel-build'))) return [];
  return [...(await log()).matchAll(/^ {2}CC +(.*)$/gm)].map(([, object = '']) => object).sort();
}

async function fingerprint(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return Promise.all(
    entries.sort().map(async (entry) => {
      const { mtimeMs, size } = await stat(join(folder, entry));
      // git touches an object that it comes across again, so that a concurrent gc keeps it; its content is its name
      const time = /^\.git\/objects\/../.test(entry) ? 'any time' : mtimeMs;
      return `${entry} ${time} ${size}`;
    }),
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!(await condition().catch(() => false))) {
    if (Date.now() > deadline)
      throw new Error(`never came true; the log: ${await log().catch(() => 'none')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof Error) return error;
  throw new TypeError('not an error');
}
