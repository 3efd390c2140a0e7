import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own root: the folder that holds package.json, whether we run from source or from dist/. */
export const packageRoot: string = findPackageRoot(dirname(fileURLToPath(import.meta.url)));

/**
 * Where built and fetched things are kept between runs: `$CXLRIG_CACHE`, else the XDG cache folder. A variable that is
 * empty counts as not set. A symbolic link is followed: make and compilers print the path to which it leads.
 */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const named = resolve(
    env['CXLRIG_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'cxlrig'),
  );
  return existsSync(named) ? realpathSync(named) : named;
}

function findPackageRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('cxlrig is not inside its package: no package.json above its code');
  return findPackageRoot(parent);
}
