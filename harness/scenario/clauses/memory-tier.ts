import { z } from 'zod';
import { idsOf } from '../../abi/parse-state.js';
import { count } from '../language/scalars.js';
import { compare, number, present } from './compare.js';
import { defineClause, type Question } from './definition.js';
import { check, text, when } from './shell.js';

/** `memory_tier4 0-1` a line: Documentation/ABI/testing/sysfs-kernel-mm-memory-tiers */
const TIERS: Question =
  'echo; for t in /sys/devices/virtual/memory_tiering/memory_tier*; do [ -e $t ] && echo ${t##*/} $(cat $t/nodelist); done; true';

export const memoryTier = defineClause({
  schema: z
    .strictObject({
      node: count.meta({ description: 'the NUMA node' }),
      tier: z
        .union([count, z.null()])
        .optional()
        .meta({ description: 'the number of its memory tier; null: it is in none' }),
      'slower-than': count
        .optional()
        .meta({ description: 'its tier is one of slower memory than that of this node' }),
    })
    .meta({ description: 'in which memory tier a node is' }),
  selectors: ['node'],
  asks: () => [TIERS],
  misses(clause, { answer }) {
    const tiers = tiersOf(answer(TIERS) ?? '');
    const subject = '/sys/devices/virtual/memory_tiering';
    const tier = tiers.get(Number(clause.node)) ?? null;
    const other = clause['slower-than'] === undefined ? undefined : tiers.get(Number(clause['slower-than']));
    const isSlower = tier !== null && other !== undefined && tier > other;
    return present([
      compare('tier', subject, clause.tier === null ? null : number(clause.tier), tier),
      clause['slower-than'] === undefined || isSlower
        ? undefined
        : {
            message: `node ${clause.node} is in ${nameOf(tier)}, node ${clause['slower-than']} in ${nameOf(other ?? null)}`,
            path: ['slower-than'],
            subject,
            expected: 'a tier of slower memory, which has a greater number',
            received: tier,
          },
    ]);
  },
  checks(clause) {
    const node = text(clause['node']);
    return [
      ...when(clause, 'tier', (want) =>
        check(`memory tier of node ${node}`, text(want ?? 'none'), `tier_of ${node}`),
      ),
      ...when(clause, 'slower-than', (other) =>
        check(
          `memory tier of node ${node} above that of node ${text(other)}`,
          'yes',
          `[ "$(tier_of ${node})" -gt "$(tier_of ${text(other)})" ] && echo yes || echo no`,
        ),
      ),
    ];
  },
  functions: `
tier_of() {
	for t in /sys/devices/virtual/memory_tiering/memory_tier*; do
		[ "$(among "$1" "$t/nodelist")" = yes ] && { echo "\${t##*/memory_tier}"; return; }
	done
	echo none
}
`,
});

/** The tier of each node that is in one. */
function tiersOf(answer: string): ReadonlyMap<number, number> {
  const tiers = new Map<number, number>();
  for (const [, tier, list = ''] of answer.matchAll(/^memory_tier(\d+) (\S+)$/gm))
    for (const node of idsOf(list)) tiers.set(node, Number(tier));
  return tiers;
}

function nameOf(tier: number | null): string {
  return tier === null ? 'no memory tier' : `memory_tier${tier}`;
}
