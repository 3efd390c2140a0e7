import { z } from 'zod';
import { quote } from '../../base/sh-quote.js';
import { matches } from '../../base/pattern.js';
import { amount, pattern } from '../language/scalars.js';
import { amountWords, isAmount, SOME } from './amount.js';
import { defineClause, type Miss } from './definition.js';
import { check, posixPattern, text, when } from './shell.js';

export const log = defineClause({
  schema: z
    .strictObject({
      matches: pattern
        .optional()
        .meta({ description: 'regular expression on kernel log lines since the case began' }),
      count: amount.optional().meta({ description: 'so many lines match; at least one when absent' }),
      absent: pattern.optional().meta({ description: 'regular expression that no such line matches' }),
    })
    .meta({ description: 'the kernel log' }),
  selectors: [],
  faults: (clause) =>
    clause.count !== undefined && clause.matches === undefined
      ? [{ key: 'count', message: '`count` counts the lines that match: add `matches`' }]
      : [],
  misses(clause, world) {
    // what we noted ourselves is no evidence
    const lines = world.log
      .filter(({ facility }) => facility === 0)
      .flatMap(({ text: one }) => one.split('\n'));
    const misses: Miss[] = [];
    const { matches: wanted, absent } = clause;
    if (wanted !== undefined) {
      const found = lines.filter((line) => matches(line, wanted));
      const howMany = clause.count ?? SOME;
      if (!isAmount(found.length, howMany)) {
        const counted = clause.count !== undefined;
        misses.push({
          message: counted
            ? `${found.length} lines of the kernel log match, not ${amountWords(howMany)}`
            : 'no line of the kernel log matches',
          path: [counted ? 'count' : 'matches'],
          subject: 'kernel log since the case began',
          expected: counted ? `${amountWords(howMany)} of /${wanted}/` : `/${wanted}/`,
          received: found.length > 0 ? found : lines.slice(-20),
        });
      }
    }
    if (absent !== undefined) {
      const found = lines.filter((line) => matches(line, absent));
      if (found.length > 0) {
        misses.push({
          message: 'a line of the kernel log matches that must not be there',
          path: ['absent'],
          subject: 'kernel log since the case began',
          expected: `no line that matches /${absent}/`,
          received: found,
        });
      }
    }
    return misses;
  },
  checks(clause) {
    if (clause['count'] !== undefined) return [];
    const search = (regexp: unknown): string =>
      `dmesg | grep -qE ${quote(posixPattern(text(regexp)))} && echo yes || echo no`;
    return [
      ...when(clause, 'matches', (want) => check(`kernel log matches ${text(want)}`, 'yes', search(want))),
      ...when(clause, 'absent', (want) => check(`kernel log matches ${text(want)}`, 'no', search(want))),
    ];
  },
});
