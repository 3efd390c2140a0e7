import { z } from 'zod';
import { quote } from '../../abi/quote.js';
import { matches } from '../../base/pattern.js';
import { guestPath, pattern, text as textOf } from '../scalars.js';
import { compare, existence, present } from './compare.js';
import { defineClause, type Question } from './definition.js';
import { check, pathCheck, posixPattern, text, when } from './shell.js';
import { exists } from './words.js';

/** As much of a file as an expectation can sensibly speak about: it may be a whole device. */
const MOST_OF_A_FILE = 64 * 1024;

/** @param path as this kernel calls it */
export function contentOf(path: string): Question {
  const file = quote(path);
  return `[ -e ${file} ] && echo && head -c ${MOST_OF_A_FILE} ${file}`;
}

export const file = defineClause({
  schema: z
    .strictObject({
      path: guestPath,
      exists,
      equals: textOf.optional().meta({ description: 'its content, trimmed, is exactly this' }),
      matches: pattern.optional().meta({ description: 'regular expression on its content' }),
    })
    .meta({ description: 'any file, any attribute' }),
  selectors: ['path'],
  asks: ({ path }, { kernelPath }) => [contentOf(kernelPath(path))],
  misses(clause, world) {
    const content = world.answer(contentOf(world.kernelPath(clause.path)))?.trim();
    const { misses, goOn } = existence(clause.path, clause.exists, content !== undefined);
    if (!goOn || content === undefined) return misses;
    return present([
      compare('equals', clause.path, clause.equals, content),
      clause.matches === undefined || matches(content, clause.matches, { lines: true })
        ? undefined
        : {
            message: `${clause.path} does not match`,
            path: ['matches'],
            subject: clause.path,
            expected: `/${clause.matches}/`,
            received: content,
          },
    ]);
  },
  checks(clause) {
    const path = quote(text(clause['path']));
    return [
      ...pathCheck(clause, path, text(clause['path'])),
      ...when(clause, 'equals', (want) => check(path, text(want).trim(), `cat ${path}`)),
      ...when(clause, 'matches', (want) =>
        check(path, 'matches', `grep -qE ${quote(posixPattern(text(want)))} ${path} && echo matches`),
      ),
    ];
  },
});
