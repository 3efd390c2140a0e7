import { execa } from 'execa';
import { packageRoot } from '../base/places.js';
import { BuildToolsMissing } from '../kernel/index.js';

/**
 * Does work that may turn out to build a kernel: where the tools for it are missing, installs them and starts again.
 * @param root the package's folder, with scripts/bootstrap in it
 * @throws BuildToolsMissing when they can't be installed; else whatever the work throws
 */
export async function withBuildTools<T>(work: () => Promise<T>, root: string = packageRoot): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BuildToolsMissing) || !(await installBuildTools(root))) throw error;
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
async function installBuildTools(root: string): Promise<boolean> {
  const { failed } = await execa(
    'sh',
    ['-c', 'set -eu; root=$1; . "$root/scripts/bootstrap"; with_build_tools=yes; prepare_host', 'sh', root],
    { reject: false, stdin: 'inherit', stdout: process.stderr, stderr: 'inherit' },
  );
  return !failed;
}
