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
      (bug.profile === undefined || bug.profile === profile) &&
      (bug.kernel === undefined || satisfies(release, bug.kernel) === true) &&
      Object.entries(bug.when ?? {}).every(([name, wanted]) =>
        ([wanted].flat() as unknown[]).includes(values[name]),
      ),
  );
}
