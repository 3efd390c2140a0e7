import { satisfies, type ScenarioCase } from '../scenario/index.js';

/**
 * The declared bug that makes this case fail on this kernel, when there is one: every condition that it names must
 * hold. `when` speaks about the case's matrix values.
 */
export function applicableBug(
  { knownBugs, values }: Pick<ScenarioCase, 'knownBugs' | 'values'>,
  profile: string,
  release: string,
): { readonly because: string } | undefined {
  return knownBugs.find(
    (bug) =>
      (bug.profile === undefined || isOf(bug.profile, profile)) &&
      (bug.kernel === undefined || satisfies(release, bug.kernel) === true) &&
      Object.entries(bug.when ?? {}).every(([name, wanted]) =>
        ([wanted].flat() as unknown[]).includes(values[name]),
      ),
  );
}

/** A bug of a profile is expected of the profile with patches on it too: whether they mend it is what one wants to know. */
function isOf(named: string, kernel: string): boolean {
  return kernel === named || kernel.startsWith(`${named}+`);
}
