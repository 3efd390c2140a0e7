import type { CaseFacts } from '../verdict/judge.js';
import { satisfies, type ScenarioCase } from '../scenario/index.js';

/**
 * The declared bug that makes this case fail on this kernel, when there is one: every condition that it names must
 * hold. The case's own bugs are those whose `when` holds.
 */
export function applicableBug(
  { knownBugs }: Pick<ScenarioCase, 'knownBugs'>,
  profile: string,
  release: string,
): CaseFacts['knownBug'] {
  return knownBugs.find(
    (bug) =>
      (bug.profile === undefined || isOf(bug.profile, profile)) &&
      (bug.kernel === undefined || satisfies(release, bug.kernel) === true),
  );
}

/** A bug of a profile is expected of the profile with patches on it too: whether they mend it is what one wants to know. */
function isOf(named: string, kernel: string): boolean {
  return kernel === named || kernel.startsWith(`${named}+`);
}
