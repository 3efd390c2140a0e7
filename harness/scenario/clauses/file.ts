import { z } from 'zod';
import { quote } from '../../base/sh-quote.js';
import { matches } from '../../base/pattern.js';
import {
  attributeKeys,
  attributePath,
  namesOneAttribute,
  NAMES_ONE_ATTRIBUTE,
  pathOf,
} from '../kinds/attribute.js';
import { pattern, text as textOf } from '../language/scalars.js';
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
      ...attributeKeys,
      exists,
      equals: textOf.optional().meta({ description: 'its content, trimmed, is exactly this' }),
      matches: pattern.optional().meta({ description: 'regular expression on its content' }),
    })
    .refine(namesOneAttribute, NAMES_ONE_ATTRIBUTE)
    .meta({ description: 'any file, any attribute' }),
  selectors: ['path', 'of', 'attr'],
  asks: (clause, { kernelPath }) => [contentOf(kernelPath(pathOf(clause)))],
  misses(clause, world) {
    const path = pathOf(clause);
    const content = world.answer(contentOf(world.kernelPath(path)))?.trim();
    const { misses, goOn } = existence(path, clause.exists, content !== undefined);
    if (!goOn || content === undefined) return misses;
    return present([
      compare('equals', path, clause.equals, content),
      clause.matches === undefined || matches(content, clause.matches, { lines: true })
        ? undefined
        : {
            message: `${path} does not match`,
            path: ['matches'],
            subject: path,
            expected: `/${clause.matches}/`,
            received: content,
          },
    ]);
  },
  checks(clause) {
    const name = attributePath(clause);
    if (name === undefined) return [];
    const path = quote(name);
    return [
      ...pathCheck(clause, path, name),
      ...when(clause, 'equals', (want) => check(path, text(want).trim(), `cat ${path}`)),
      ...when(clause, 'matches', (want) =>
        check(path, 'matches', `grep -qE ${quote(posixPattern(text(want)))} ${path} && echo matches`),
      ),
    ];
  },
});
