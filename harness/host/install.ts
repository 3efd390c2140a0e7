import { execa } from 'execa';
import { packageRoot } from '../base/places.js';
import { BuildToolsMissing, type Built } from '../kernel/index.js';

/**
 * Does work that may turn out to build a kernel or tools: where what that takes is missing, installs it and starts again.
 * @param root the package's folder, with scripts/bootstrap in it
 * @throws BuildToolsMissing when it can't be installed; else whatever the work throws
 */
export async function withBuildTools<T>(work: () => Promise<T>, root: string = packageRoot): Promise<T> {
  const installed = new Set<Built>();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BuildToolsMissing) || installed.has(error.built)) throw error;
      if (!(await install(error.built, root))) throw error;
      installed.add(error.built);
    }
  }
}

/** The variable that has scripts/bootstrap install what each takes. */
const WISH: Readonly<Record<Built, string>> = {
  'a kernel': 'with_build_tools',
  'cxl, daxctl and ndctl': 'with_ndctl_build_tools',
  'kernel selftests': 'with_selftest_build_tools',
};

/**
 * Installs what building takes, by the rules by which `scripts/cxlrig` installs the rest: it says so before, asks
 * where somebody can answer, and changes nothing without apt and root rights or sudo, but names what is missing.
 * Standard output stays clean: everything is told on standard error.
 *
 * @returns whether all is there now; why not was told to the user
 */
async function install(built: Built, root: string): Promise<boolean> {
  const { failed } = await execa(
    'sh',
    ['-c', `set -eu; root=$1; . "$root/scripts/bootstrap"; ${WISH[built]}=yes; prepare_host`, 'sh', root],
    { reject: false, stdin: 'inherit', stdout: process.stderr, stderr: 'inherit' },
  );
  return !failed;
}
