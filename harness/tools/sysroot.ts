import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, contentKey } from '../base/cache/cache.js';
import type { DebianSuite } from '../base/debian/debian.js';
import type { Progress } from '../base/progress.js';
import { unpackPackages } from '../image/userland.js';
import type { BuildRecipe } from './recipe.js';

/** A folder with the headers and libraries of the guest's suite, which a compiler takes for the root of the system. */
export interface Sysroot {
  readonly dir: string;
  /** changes with each package's version */
  readonly key: string;
}

/** To be changed with the code below. */
const LAYOUT = '1';
/** Of 50 MB each; each update of a package makes a new one. */
const KEPT = 3;
const NOT_NEEDED = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'usr/bin',
  'usr/sbin',
  'var',
  'etc',
  'dev',
  'tmp',
];

/** @throws as buildUserland */
export async function openSysroot(
  { packages: names }: Pick<BuildRecipe, 'packages'>,
  suite: DebianSuite,
  suiteName: string,
  progress: Progress,
): Promise<Sysroot> {
  const packages = await suite.closure(names, { suite: suiteName });
  const key = contentKey(LAYOUT, ...packages);
  const { dir } = await cached(
    'sysroots',
    key,
    async (draft) => {
      const tree = join(draft, 'root');
      await unpackPackages({
        suiteName,
        packages,
        suite,
        tree,
        task: 'fetch what tools are built against',
        progress,
      });
      for (const name of NOT_NEEDED) await rm(join(tree, name), { recursive: true, force: true });
      for (const name of ['lib', 'lib64']) {
        await mkdir(join(tree, 'usr', name), { recursive: true });
        await symlink(`usr/${name}`, join(tree, name));
      }
    },
    { progress, keep: KEPT, digests: false },
  );
  return { dir: join(dir, 'root'), key };
}
