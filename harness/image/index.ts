import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from '../base/cache.js';
import { debianSuite, STABLE_SUITES } from '../base/debian.js';
import { silent, type Progress } from '../base/progress.js';
import type { ResolvedKernel } from '../kernel/resolved.js';
import { joinLayers, packLayer } from './archive.js';
import { installModules } from './modules.js';
import { readRecipe } from './recipe.js';
import { buildUserland } from './userland.js';

export interface ImageOptions {
  readonly progress?: Progress | undefined;
  /** address of the Debian archive; default: see debianMirror() */
  readonly mirror?: string | undefined;
}

/** A guest image that fits one kernel. */
export interface GuestImage {
  /** absolute path of the initramfs; it has no keys of the SSH server, which each run puts in front of it */
  readonly initramfs: string;
  /** content hash: two images with one id are the same */
  readonly id: string;
}

/**
 * The guest image for a kernel by images/guest.yaml, built unless the cache has it: of the newest package versions,
 * as long as a mirror can be asked.
 *
 * @throws RigError('host'|'download'|'image') with the tool's last words
 */
export async function buildImage(kernel: ResolvedKernel, options: ImageOptions = {}): Promise<GuestImage> {
  const { progress = silent, mirror } = options;
  const recipe = await readRecipe();
  const suites = STABLE_SUITES.some((name) => name === recipe.suite) ? STABLE_SUITES : [recipe.suite];
  const suite = debianSuite({ suites, mirror, progress });
  const userland = await suite.using(() => buildUserland(recipe, suite, progress));

  const id = contentKey(
    LAYOUT,
    userland.key,
    kernel.id,
    kernel.release,
    JSON.stringify([recipe.modules, recipe.moduleSignatures]),
  );
  const { dir } = await cached(
    'images',
    id,
    async (draft) => {
      progress({ task: 'build the guest image', detail: `modules of ${kernel.release}` });
      const tree = join(draft, 'tree');
      await mkdir(tree);
      await installModules(kernel, recipe, tree);
      const modules = join(draft, 'modules.cpio');
      await packLayer(tree, modules);
      await joinLayers([userland.layer, modules], join(draft, INITRAMFS));
      await rm(tree, { recursive: true });
      await rm(modules);
    },
    { progress, keep: IMAGES_KEPT },
  );
  return { initramfs: join(dir, INITRAMFS), id };
}

/** To be changed with the code above, as LAYOUT of the userland. */
const LAYOUT = '1';

const INITRAMFS = 'initramfs';

/** Of 10 to 40 MB each; every kernel that is edited and built leaves one. */
const IMAGES_KEPT = 20;
