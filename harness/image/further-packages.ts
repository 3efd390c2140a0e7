import type { DebianSuite } from '../base/debian/debian.js';
import { RigError, UsageError } from '../base/errors.js';

/**
 * Looks at the names of packages that a person wants in the guest.
 * @throws UsageError when one can't be a package's name
 */
export function checkPackageNames(names: readonly string[]): void {
  for (const name of names) {
    if (/^[a-z0-9][a-z0-9+.-]+$/.test(name)) continue;
    throw new UsageError(
      `${JSON.stringify(name)} is not the name of a Debian package`,
      'names are of small letters, digits, and + - . : --with strace fio',
    );
  }
}

/**
 * Looks whether the suite has them.
 * @throws UsageError naming the first that it has not
 */
export async function requirePackages(
  names: readonly string[],
  suite: DebianSuite,
  suiteName: string,
): Promise<void> {
  for (const name of names) {
    await suite.resolve(name, { suite: suiteName }).catch((error: unknown) => {
      if (!(error instanceof RigError) || !error.message.startsWith(`no package '${name}'`)) throw error;
      throw new UsageError(
        `Debian ${suiteName} has no package ${name}`,
        'look for it with: apt-cache search WORD',
        { cause: error },
      );
    });
  }
}
