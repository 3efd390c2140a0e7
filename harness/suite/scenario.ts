import { stringify } from 'yaml';
import type { SuiteRecipe } from './recipe.js';

/** A test of a suite: one case. */
export interface SuiteTest {
  readonly name: string;
  /** what runs it, as the recipe's `run` wants it */
  readonly command: string;
  /** seconds that it is given */
  readonly timeout: number;
}

/** What starting and cleaning up take beside the test itself, in seconds. */
const BESIDE_S = 120;

/**
 * The scenario that runs the tests of one collection, a case each, in the language of scenarios.
 * @returns YAML
 */
export function suiteScenario(collection: string, tests: readonly SuiteTest[], recipe: SuiteRecipe): string {
  const own = recipe.collections[collection] ?? {};
  const bugs = recipe['known-bugs'].flatMap(({ tests: names, ...bug }) => {
    const affected = names.filter((name) => tests.some((test) => test.name === name));
    return affected.length === 0 ? [] : [{ when: { name: affected }, ...bug }];
  });
  const line = (own.run ?? recipe.run)
    .replaceAll('$COLLECTION', collection)
    .replaceAll('$COMMAND', '${command}');
  const longest = Math.max(...tests.map(({ timeout }) => timeout));
  return stringify(
    {
      cxlrig: 1,
      name: `${collection}: each of its tests ends well`,
      description: `${recipe.description}. Made by cxlrig suite.`,
      topology: own.topology ?? recipe.topology,
      // what they load, plug in and mount is theirs
      'leaves-no-trace': false,
      timeout: `${longest + BESIDE_S}s`,
      ...(bugs.length > 0 && { 'known-bugs': bugs }),
      cases: tests.map(({ name, command, timeout }) => ({ name, command, limit: `${timeout}s` })),
      steps: [
        ...(own.steps ?? []),
        {
          name: '${name}',
          exec: { sh: line, skip: recipe.skip, ...(recipe.ktap && { ktap: true }) },
          timeout: '${limit}',
        },
      ],
    },
    { lineWidth: 0 },
  );
}
