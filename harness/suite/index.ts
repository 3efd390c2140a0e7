import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cached, contentKey } from '../base/cache/cache.js';
import { debianSuite, STABLE_SUITES } from '../base/debian/debian.js';
import { nameHint } from '../base/document/did-you-mean.js';
import { UsageError } from '../base/errors.js';
import type { Progress } from '../base/progress.js';
import { packLayer } from '../base/archive.js';
import type { ImageAdditions } from '../image/index.js';
import { readRecipe } from '../image/recipe.js';
import { buildSelftests, isBuilt, type FetchOptions, type Profile } from '../kernel/index.js';
import {
  buildToolTests,
  openSysroot,
  readBuildRecipe,
  SOURCE_PROFILE,
  type ToolsProfile,
} from '../tools/index.js';
import { readSuiteRecipe, type SuiteName, type SuiteRecipe } from './recipe.js';
import { suiteScenario, type SuiteTest } from './scenario.js';

export { suiteNames, type SuiteName } from './recipe.js';

/** Which tests of whose suite, on what. */
export interface SuiteRequest {
  readonly suite: SuiteName;
  /** its collections: cxl, dax, nfit of ndctl; dax, mm, ... of the kernel; none: all of ndctl */
  readonly collections: readonly string[];
  /** none: all of the collections */
  readonly tests: readonly WantedTest[];
  readonly kernel: Profile;
  /** whose tests are run, and whose tools are in the guest */
  readonly tools: ToolsProfile | undefined;
}

/** A test by its name, in one of the collections or in any. */
export interface WantedTest {
  readonly collection?: string;
  readonly name: string;
}

/** What a run of scenarios needs to run a suite. */
export interface PreparedSuite {
  /** the kernel, configured for it */
  readonly kernel: Profile;
  readonly additions: ImageAdditions;
  /** files, one a collection */
  readonly scenarios: readonly string[];
}

/**
 * Builds a suite for a kernel, and makes scenarios of it.
 * @throws UsageError when the kernel is not built here, or there is no such collection or test
 */
export async function prepareSuite(request: SuiteRequest, options: FetchOptions): Promise<PreparedSuite> {
  if (!isBuilt(request.kernel))
    throw new UsageError(
      `the kernel ${request.kernel.name} comes ready-made, and the suite ${request.suite} takes test modules of its sources`,
      'build one from source: --kernel minimal',
    );
  const recipe = await readSuiteRecipe(request.suite);
  const kernel = withRecipe(request.kernel, recipe);
  const built =
    request.suite === 'ndctl'
      ? await ndctlSuite(request, options)
      : await kselftestSuite(request, kernel, recipe, options);
  const chosen = chosenTests(built.collections, request.tests);
  const own = await ownLayer(recipe, options.progress);
  const { packages, modules } = recipe.guest;
  return {
    kernel,
    additions: { packages, modules, layers: [...built.layers, ...own] },
    scenarios: await writeScenarios(request.suite, chosen, recipe),
  };
}

type Collections = ReadonlyMap<string, readonly SuiteTest[]>;

interface BuiltSuite {
  readonly collections: Collections;
  readonly layers: readonly { readonly file: string; readonly id: string }[];
}

function withRecipe(kernel: Profile, { kernel: { fragments, modules } }: SuiteRecipe): Profile {
  const { config } = kernel;
  return {
    ...kernel,
    name: `${kernel.name}+testing`,
    config: {
      ...config,
      fragments: [...new Set([...config.fragments, ...fragments])],
      ...(modules.length > 0 && { modules: [...new Set([...(config.modules ?? []), ...modules])] }),
    },
  };
}

/** What people call the suites that meson.build calls otherwise. */
const SUITE_NAMES: Readonly<Record<string, string>> = { ndctl: 'nfit' };

async function ndctlSuite({ tools, collections }: SuiteRequest, options: FetchOptions): Promise<BuiltSuite> {
  if (!tools)
    throw new UsageError(
      "Debian's packages of the tools bring no tests",
      `name tools that are built from source: --tools ${SOURCE_PROFILE}`,
    );
  const { id, layer, tests } = await buildToolTests(tools, options);
  const all = new Map<string, SuiteTest[]>();
  for (const { suite, ...test } of tests) {
    const name = SUITE_NAMES[suite] ?? suite;
    all.set(name, [...(all.get(name) ?? []), test]);
  }
  const unknown = collections.find((name) => !all.has(name));
  if (unknown !== undefined)
    throw new UsageError(
      `ndctl has no tests ${unknown}`,
      nameHint(unknown, [...all.keys()], 'its collections'),
    );
  return {
    collections: new Map([...all].filter(([name]) => collections.length === 0 || collections.includes(name))),
    layers: [{ file: layer, id }],
  };
}

/** Of kselftest itself, where a collection says nothing. */
const DEFAULT_TIMEOUT_S = 45;
/** Of a collection that asks for no limit. */
const UNLIMITED_S = 1800;
/** A guest under TCG is slower than the machines that the limits were made for. */
const SLOWER = 4;

async function kselftestSuite(
  { collections }: SuiteRequest,
  kernel: Profile,
  recipe: SuiteRecipe,
  options: FetchOptions,
): Promise<BuiltSuite> {
  if (collections.length === 0)
    throw new UsageError('which selftests?', 'name folders of tools/testing/selftests: dax memory-hotplug');
  const [build, { suite: suiteName }] = await Promise.all([readBuildRecipe(), readRecipe()]);
  const suite = debianSuite({ suites: STABLE_SUITES, mirror: options.mirror, progress: options.progress });
  const packages = [...new Set([...build.packages, ...recipe.sysroot.packages])];
  const sysroot = await suite.using(() => openSysroot({ packages }, suite, suiteName, options.progress));
  const { id, layer, tests, timeouts } = await buildSelftests(kernel, collections, sysroot, options);
  const limit = (collection: string): number => {
    const seconds = timeouts[collection] ?? DEFAULT_TIMEOUT_S;
    return seconds === 0 ? UNLIMITED_S : seconds * SLOWER;
  };
  return {
    collections: new Map(
      collections.map((collection) => [
        collection,
        tests
          .filter((test) => test.collection === collection)
          .map(({ name }) => ({ name, command: `./${name}`, timeout: limit(collection) })),
      ]),
    ),
    layers: [{ file: layer, id }],
  };
}

/** @throws UsageError when one that is named is not there */
function chosenTests(all: Collections, wanted: readonly WantedTest[]): Collections {
  for (const { collection, name } of wanted) {
    const places = [...all].filter(([own]) => own === (collection ?? own));
    const names = places.flatMap(([, tests]) => tests.map((test) => test.name));
    if (names.includes(name)) continue;
    throw new UsageError(
      `there is no test ${name}${collection === undefined ? '' : ` in ${collection}`}`,
      nameHint(name, names, 'the tests'),
    );
  }
  const chosen = [...all].map(([collection, tests]) => {
    const names = wanted
      .filter((one) => (one.collection ?? collection) === collection)
      .map(({ name }) => name);
    // a collection that is named as a whole is wanted as a whole
    const isWhole = names.length === 0 && wanted.every((one) => one.collection !== undefined);
    return [collection, isWhole ? tests : tests.filter(({ name }) => names.includes(name))] as const;
  });
  return new Map(chosen.filter(([, tests]) => tests.length > 0));
}

/** The recipe's own files. */
async function ownLayer(
  { guest: { files } }: SuiteRecipe,
  progress: Progress,
): Promise<{ file: string; id: string }[]> {
  const entries = Object.entries(files);
  if (entries.length === 0) return [];
  const id = contentKey('1', ...entries.flat());
  const fill = async (draft: string): Promise<void> => {
    const tree = join(draft, 'tree');
    for (const [path, text] of entries) {
      const file = join(tree, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      await chmod(file, 0o755);
    }
    await packLayer(tree, join(draft, OWN_LAYER));
    await rm(tree, { recursive: true });
  };
  const { dir } = await cached('suites', id, fill, { progress, keep: KEPT });
  return [{ file: join(dir, OWN_LAYER), id }];
}

const OWN_LAYER = 'files.cpio';
const KEPT = 50;

/** Each in the folder of the suite, which is what its cases are called by: `ndctl/cxl [cxl-topology.sh]`. */
async function writeScenarios(suite: SuiteName, tests: Collections, recipe: SuiteRecipe): Promise<string[]> {
  const texts = [...tests].map(([name, own]) => [name, suiteScenario(name, own, recipe)] as const);
  const { dir } = await cached(
    'suites',
    contentKey(suite, ...texts.flat()),
    async (draft) => {
      const folder = join(draft, 'scenarios', suite);
      await mkdir(folder, { recursive: true });
      for (const [name, text] of texts) await writeFile(join(folder, `${name}.yaml`), text);
    },
    { keep: KEPT },
  );
  return texts.map(([name]) => join(dir, 'scenarios', suite, `${name}.yaml`));
}
