import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cached, contentKey } from '../base/cache/cache.js';
import { debianSuite, STABLE_SUITES } from '../base/debian/debian.js';
import { RigError } from '../base/errors.js';
import { silent, type Progress } from '../base/progress.js';
import { runTool } from '../base/tool.js';
import type { ResolvedKernel } from '../kernel/resolved.js';
import type { BuiltTools } from '../tools/index.js';
import { joinLayers, packLayer } from '../base/archive.js';
import { checkPackageNames, requirePackages } from './further-packages.js';
import { installModules } from './modules.js';
import { readRecipe, type Recipe } from './recipe.js';
import { buildUserland } from './userland.js';

export { shareLayer } from './share.js';

/** What a person wants in a guest beside what the recipe has. */
export interface ImageAdditions {
  /** Debian packages */
  readonly packages?: readonly string[] | undefined;
  /** patterns of modules, as the recipe has them */
  readonly modules?: readonly string[] | undefined;
  /** files, as layers of an initramfs (see packLayer): over those of the packages, known by a content hash */
  readonly layers?: readonly { readonly file: string; readonly id: string }[] | undefined;
}

export interface ImageOptions extends ImageAdditions {
  readonly progress?: Progress | undefined;
  /** tools that were built here, over those of the packages */
  readonly tools?: BuiltTools | undefined;
  /** address of the Debian archive; default: see debianMirror() */
  readonly mirror?: string | undefined;
}

/** A guest image that fits one kernel. */
export interface GuestImage {
  /** absolute path of the initramfs; it has no keys of the SSH server, which each run puts in front of it */
  readonly initramfs: string;
  /** content hash: two images with one id are the same */
  readonly id: string;
  /** its packages, as `name=version`, sorted */
  readonly packages: readonly string[];
}

/**
 * The guest image for a kernel by images/guest.yaml, built unless the cache has it: of the newest package versions,
 * as long as a mirror can be asked.
 *
 * @throws UsageError when there is no package of a name that was asked for
 * @throws RigError('host'|'download'|'image') with the tool's last words
 */
export async function buildImage(kernel: ResolvedKernel, options: ImageOptions = {}): Promise<GuestImage> {
  const { progress = silent, mirror, tools, packages = [], modules = [], layers = [] } = options;
  checkPackageNames(packages);
  const recipe = withModules(withPackages(await readRecipe(), packages), modules);
  const suites = STABLE_SUITES.some((name) => name === recipe.suite) ? STABLE_SUITES : [recipe.suite];
  const suite = debianSuite({ suites, mirror, progress });
  const userland = await suite.using(async () => {
    await requirePackages(packages, suite, recipe.suite);
    return buildUserland(recipe, suite, progress);
  });

  const id = contentKey(
    LAYOUT,
    userland.key,
    kernel.id,
    kernel.release,
    JSON.stringify([recipe.modules, recipe.moduleSignatures]),
    ...(tools ? [tools.id] : []),
    ...layers.map((layer) => layer.id),
  );
  const { dir } = await cached(
    'images',
    id,
    async (draft) => {
      progress({ task: 'build the guest image', detail: `modules of ${kernel.release}` });
      const tree = join(draft, 'tree');
      await mkdir(tree);
      await installModules(kernel, recipe, tree);
      const own = join(draft, 'modules.cpio');
      await packLayer(tree, own);
      if (tools) await requireLibraries(tools, userland.layer);
      const files = layers.map(({ file }) => file);
      const all = [userland.layer, ...(tools ? [tools.layer] : []), ...files, own];
      await joinLayers(all, join(draft, INITRAMFS));
      await rm(tree, { recursive: true });
      await rm(own);
    },
    { progress, keep: IMAGES_KEPT },
  );
  return { initramfs: join(dir, INITRAMFS), id, packages: userland.packages };
}

/** What the recipe leaves out of the packages for a faster boot, other packages may need: only their texts stay out then. */
function withPackages(recipe: Recipe, packages: readonly string[]): Recipe {
  if (packages.length === 0) return recipe;
  return {
    ...recipe,
    packages: [...new Set([...recipe.packages, ...packages])],
    exclude: recipe.exclude.filter((pattern) => recipe.texts.includes(pattern)),
  };
}

function withModules(recipe: Recipe, modules: readonly string[]): Recipe {
  return modules.length === 0 ? recipe : { ...recipe, modules: [...recipe.modules, ...modules] };
}

/** @throws RigError('image') when a library that the tools need is not in the guest: the tools could not start */
async function requireLibraries({ needs, profile }: BuiltTools, layer: string): Promise<void> {
  const listed = await runTool({
    program: 'cpio',
    args: ['--list', '--quiet', '--file', layer],
    purpose: 'see what the guest has',
    stage: 'image',
  });
  const there = new Set(
    listed
      .toString()
      .split('\n')
      .map((path) => basename(path)),
  );
  const missing = needs.filter((name) => !there.has(name));
  if (missing.length === 0) return;
  throw new RigError(
    'image',
    `the tools ${profile} need ${missing.join(', ')}, which the guest does not have`,
    "add Debian's package of it to the guest: --with PACKAGE",
  );
}

/** To be changed with the code above, as LAYOUT of the userland. */
const LAYOUT = '1';

const INITRAMFS = 'initramfs';

/** Of 10 to 40 MB each; every kernel that is edited and built leaves one. */
const IMAGES_KEPT = 20;
