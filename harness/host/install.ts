import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../base/places.js';
import { BuildToolsMissing } from '../kernel/index.js';

/** Sourced by scripts/cxlrig, which installs by it what every run needs. */
const BOOTSTRAP = join(packageRoot, 'scripts', 'bootstrap');

/** Does work that may turn out to build a kernel: where the tools for it are missing, installs them and starts again. */
export async function withBuildTools<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BuildToolsMissing) || !(await installBuildTools())) throw error;
    return work();
  }
}

/**
 * Installs what building kernels takes, by the rules by which `scripts/cxlrig` installs the rest: it says so before, asks
 * where somebody can answer, and changes nothing without apt and root rights or sudo, but names what is missing.
 * Standard output stays clean: everything is told on standard error.
 *
 * @returns whether all is there now; why not was told to the user
 */
async function installBuildTools(): Promise<boolean> {
  if (!existsSync(BOOTSTRAP)) return false;
  const { failed } = await execa(
    'sh',
    [
      '-c',
      'set -eu; root=$1; . "$root/scripts/bootstrap"; with_build_tools=yes; prepare_host',
      'sh',
      packageRoot,
    ],
    { reject: false, stdin: 'inherit', stdout: process.stderr, stderr: 'inherit' },
  );
  return !failed;
}
