import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { cached, contentKey, findCached } from '../base/cache/cache.js';
import { debianSuite, STABLE_SUITES } from '../base/debian/debian.js';
import { cacheRoot } from '../base/places.js';
import { silent, type Progress } from '../base/progress.js';
import { runTool } from '../base/tool.js';
import { packLayer } from '../base/archive.js';
import { readRecipe } from '../image/recipe.js';
import { applySeries } from '../kernel/sources/apply-series.js';
import { BuildFailed, firstFault, suspect, type BuildFault } from '../kernel/build/build-failure.js';
import { logFile } from '../kernel/build/kbuild.js';
import { exclusively, untilGone } from '../kernel/build/lock.js';
import { readSeries, type Patch } from '../kernel/sources/series.js';
import type { SourceTree } from '../kernel/sources/source-tree.js';
import { buildPlace, checkOut, type BuildPlace } from '../kernel/sources/work-tree.js';
import { requireHostTools } from './host-tools.js';
import { compileTools, configureTools, installTools, introspectTests, type MesonRun } from './meson.js';
import type { ToolsProfile } from './profile.js';
import { readBuildRecipe, type BuildRecipe } from './recipe.js';
import { openToolSource } from './source.js';
import { openSysroot, type Sysroot } from './sysroot.js';

/** cxl, daxctl and ndctl that were built here, ready to go into an image. */
export interface BuiltTools {
  /** the profile's name */
  readonly profile: string;
  /** content hash: tools of one id are the same */
  readonly id: string;
  /** a layer of an initramfs, to stand behind the packages' */
  readonly layer: string;
  /** names of the shared libraries that they need and do not bring */
  readonly needs: readonly string[];
  /** what they are made of, for people and for run.json */
  readonly origin: string;
  readonly source: string;
  /** the hash is of the changes alone */
  readonly series?: { readonly hash: string; readonly patches: readonly string[] };
}

export interface BuildToolsOptions {
  readonly progress?: Progress | undefined;
  readonly mirror?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The tests of the tools' own sources, ready to go into an image beside the tools. */
export interface BuiltTests {
  readonly id: string;
  readonly layer: string;
  /** in the order in which the sources have them */
  readonly tests: readonly ToolTest[];
}

export interface ToolTest {
  readonly name: string;
  /** cxl, dax, ndctl */
  readonly suite: string;
  /** what runs it in the folder of the tests: `bash ./cxl-topology.sh` */
  readonly command: string;
  /** seconds that it is given */
  readonly timeout: number;
}

/** What is made of the sources. */
interface Product {
  /** of the folder of the cache; part of what its entries are known by */
  readonly name: 'tools' | 'tool-tests';
  /** of meson.build, beside the recipe's */
  readonly options: Readonly<Record<string, string>>;
  /** none: all */
  readonly targets: readonly string[];
  readonly fill: (job: Job, place: BuildPlace, draft: string) => Promise<void>;
}

/** To be changed with the code below: what it makes of the same sources is another layer then. */
const LAYOUT = '3';
const LAYER = 'tools.cpio';
const KEPT = 20;

const TOOLS: Product = {
  name: 'tools',
  options: {},
  // they bring the libraries too
  targets: ['cxl/cxl', 'daxctl/daxctl', 'ndctl/ndctl'],
  fill: fillWithTools,
};

const TESTS: Product = {
  name: 'tool-tests',
  // a guest is there to be destroyed
  options: { test: 'enabled', destructive: 'enabled' },
  targets: [],
  fill: fillWithTests,
};

/** Where the tests are in a guest. */
const TESTS_IN_GUEST = 'usr/lib/ndctl-tests';

/**
 * Builds tools against the libraries of the guest's suite, unless the cache has them: known by sources, libraries and
 * compiler. Equal sources are built in one place, whatever series is on them, so an edit compiles only what it touches.
 *
 * @throws UsageError when a patch does not apply or a tree is none
 * @throws BuildFailed with the first error and the patch that most likely brought it
 * @throws RigError('host') when the host lacks a compiler, meson or ninja
 */
export async function buildTools(
  profile: ToolsProfile,
  options: BuildToolsOptions = {},
): Promise<BuiltTools> {
  const { dir, id, source, patches } = await build(TOOLS, profile, options);
  return {
    profile: profile.name,
    id,
    layer: join(dir, LAYER),
    needs: JSON.parse(await readFile(join(dir, 'needs.json'), 'utf8')) as string[],
    origin: originOf(source, patches),
    source: source.label,
    ...(patches.length > 0 && {
      series: { hash: seriesHash(patches), patches: patches.map(({ name }) => name) },
    }),
  };
}

/** Builds the tests that a profile's sources bring, likewise. */
export async function buildToolTests(
  profile: ToolsProfile,
  options: BuildToolsOptions = {},
): Promise<BuiltTests> {
  const { dir, id } = await build(TESTS, profile, options);
  const tests = JSON.parse(await readFile(join(dir, 'tests.json'), 'utf8')) as ToolTest[];
  return { id, layer: join(dir, LAYER), tests };
}

interface Built {
  readonly dir: string;
  readonly id: string;
  readonly source: SourceTree;
  readonly patches: readonly Patch[];
}

async function build(product: Product, profile: ToolsProfile, options: BuildToolsOptions): Promise<Built> {
  const { progress = silent, mirror, signal } = options;
  requireHostTools();
  const [recipe, { suite: suiteName }] = await Promise.all([readBuildRecipe(), readRecipe()]);
  const source = await openToolSource(profile.source, { progress, mirror });
  const patches = await readSeries(source.depot, profile.patches);
  const tree = (await applySeries(source, patches)).at(-1) ?? source.tree;
  const suite = debianSuite({ suites: STABLE_SUITES, mirror, progress });
  const sysroot = await suite.using(() => openSysroot(recipe, suite, suiteName, progress));
  const id = contentKey(LAYOUT, tree, sysroot.key, JSON.stringify(recipe), await compilerVersion());
  const job: Job = { product, profile, source, tree, patches, recipe, sysroot, progress, signal };
  const dir = (await findCached(product.name, id)) ?? (await inPlace(job, (place) => make(job, place, id)));
  return { dir, id, source, patches };
}

interface Job {
  readonly product: Product;
  readonly profile: ToolsProfile;
  readonly source: SourceTree;
  readonly tree: string;
  readonly patches: readonly Patch[];
  readonly recipe: BuildRecipe;
  readonly sysroot: Sysroot;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

async function inPlace<T>(
  { product, source, sysroot, profile, progress }: Job,
  work: (place: BuildPlace) => Promise<T>,
): Promise<T> {
  const label = basename(source.lineage).replace(/[^\w.+-]/g, '-');
  const name = `${label}-${contentKey(source.lineage, sysroot.key).slice(0, 8)}`;
  const place = buildPlace(join(cacheRoot(), `${product.name}-build`, name));
  await mkdir(place.dir, { recursive: true });
  const waiting = () =>
    progress({ task: `build ${profile.name}`, detail: 'waiting for another run that builds it' });
  return exclusively(join(place.dir, 'lock'), waiting, async () => {
    await untilGone(place.processes);
    return work(place);
  });
}

async function make(job: Job, place: BuildPlace, id: string): Promise<string> {
  const { product, source, tree, recipe, sysroot, progress, signal } = job;
  // the run that was waited for may have built just these
  const done = await findCached(product.name, id);
  if (done !== undefined) return done;
  await writeFile(logFile(place), '');
  await checkOut(place, source, tree, progress);
  signal?.throwIfAborted();
  const task = product === TOOLS ? 'build cxl, daxctl and ndctl' : 'build the tests of ndctl';
  progress({ task, detail: source.label });
  const version = await versionOf(place);
  const options = { ...product.options, 'version-tag': version };
  check(job, place, await configureTools(place, sysroot.dir, recipe, options, signal));
  const line = (text: string): void => {
    const [, step = '', of = ''] = /^\[(\d+)\/(\d+)\]/.exec(text) ?? [];
    if (of !== '') progress({ task, detail: `${step}/${of}`, fraction: Number(step) / Number(of) });
  };
  check(job, place, await compileTools(place, product.targets, line, signal));
  const { dir } = await cached(product.name, id, (draft) => pack(job, place, draft), {
    progress,
    keep: KEPT,
  });
  return dir;
}

async function pack(job: Job, place: BuildPlace, draft: string): Promise<void> {
  const tree = join(draft, 'tree');
  await job.product.fill(job, place, draft);
  await packLayer(tree, join(draft, LAYER));
  await rm(tree, { recursive: true });
  await copyFile(logFile(place), join(draft, 'build.log'));
}

async function fillWithTools(job: Job, place: BuildPlace, draft: string): Promise<void> {
  const tree = join(draft, 'tree');
  check(job, place, await installTools(place, tree));
  await writeFile(join(draft, 'needs.json'), JSON.stringify(await foreignLibraries(tree)));
}

/** Programs, scripts and data lie in one folder: the tests look for them beside themselves. */
async function fillWithTests(job: Job, place: BuildPlace, draft: string): Promise<void> {
  const folder = join(draft, 'tree', TESTS_IN_GUEST);
  await mkdir(folder, { recursive: true });
  const [sources, objects] = [join(place.src, 'test'), join(place.obj, 'test')];
  for (const entry of await readdir(sources, { withFileTypes: true }))
    // (some are links to others: copied as what they mean)
    if (!entry.isDirectory() && !/\.[ch]$|^meson\.build$/.test(entry.name))
      await copyFile(join(sources, entry.name), join(folder, entry.name));
  const listed = await introspectTests(place);
  check(job, place, listed);
  for (const entry of await readdir(objects, { withFileTypes: true })) {
    if (!entry.isFile() || entry.name.includes('.')) continue;
    const args = ['--strip-unneeded', '-o', join(folder, entry.name), join(objects, entry.name)];
    await runTool({ program: 'strip', args, purpose: 'strip the tests', stage: 'image' });
  }
  await writeFile(join(draft, 'tests.json'), JSON.stringify(toolTests(listed.lines.join('\n'), place)));
}

const introspected = z.array(
  z.object({
    name: z.string(),
    suite: z.array(z.string()),
    cmd: z.array(z.string()).min(1),
    timeout: z.number(),
  }),
);

/** @param json of `meson introspect --tests` */
function toolTests(json: string, { src, obj }: BuildPlace): ToolTest[] {
  const inGuest = (word: string): string => {
    if (!word.startsWith('/')) return word;
    const isOwn = word.startsWith(`${src}/`) || word.startsWith(`${obj}/`);
    return isOwn ? `./${basename(word)}` : basename(word);
  };
  return introspected.parse(JSON.parse(json)).map(({ name, suite: [suite = ''], cmd, timeout }) => ({
    name,
    // meson puts the project's name before it
    suite: suite.split(':').at(-1) ?? suite,
    command: cmd.map(inGuest).join(' '),
    timeout,
  }));
}

/** The libraries that programs and libraries below a folder need (DT_NEEDED) and that are not among them. */
async function foreignLibraries(tree: string): Promise<string[]> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const own = new Set(entries.map(({ name }) => name));
  const binaries = entries
    .filter((entry) => entry.isFile())
    .filter(({ parentPath, name }) => /\/s?bin$/.test(parentPath) || /\.so\.\d/.test(name))
    .map(({ parentPath, name }) => join(parentPath, name));
  const listed = await runTool({
    program: 'readelf',
    args: ['--dynamic', '--wide', ...binaries],
    purpose: 'see what the tools need',
    stage: 'image',
  });
  const needed = [...listed.toString().matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name);
  return [...new Set(needed)].filter((name) => !own.has(name)).sort();
}

function check({ source, patches }: Job, place: BuildPlace, { failed, lines }: MesonRun): void {
  if (!failed) return;
  const fault = faultOf(lines, place);
  throw new BuildFailed(fault, suspect(fault, patches), originOf(source, patches), logFile(place));
}

/** A compiler's first error; of a meson.build that fails, its own one. */
function faultOf(lines: readonly string[], place: BuildPlace): BuildFault {
  const own = lines.findIndex((text) => /(^|: )ERROR: /.test(text));
  if (own < 0) return firstFault(lines, place.src);
  const text = lines[own] ?? '';
  const file = /^(?:\.\.\/)*(?:src\/)?(\S+?):\d+:\d+: ERROR/.exec(text)?.[1];
  return { excerpt: lines.slice(own, own + 5), includedFrom: [], ...(file === undefined ? {} : { file }) };
}

/** What `cxl version` says: constant over the states of a tree, for a change of it compiles everything anew. */
async function versionOf({ src }: BuildPlace): Promise<string> {
  const text = await readFile(join(src, 'meson.build'), 'utf8').catch(() => '');
  return /^\s*version\s*:\s*'([^']+)'/m.exec(text)?.[1] ?? 'unknown';
}

function originOf({ label }: SourceTree, patches: readonly Patch[]): string {
  const [first] = patches;
  if (!first) return label;
  return `${label} + ${patches.length === 1 ? first.name : `${patches.length} patches`} (${seriesHash(patches)})`;
}

function seriesHash(patches: readonly Patch[]): string {
  return contentKey(...patches.map(({ diff }) => diff)).slice(0, 12);
}

async function compilerVersion(): Promise<string> {
  const text = await runTool({
    program: 'gcc',
    args: ['--version'],
    purpose: 'ask the compiler for its version',
    stage: 'kernel',
  });
  return text.toString().split('\n')[0] ?? '';
}
