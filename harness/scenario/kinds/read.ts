import { z } from 'zod';
import { readLine } from '../../abi/index.js';
import { matches } from '../../base/pattern.js';
import { captureName, pattern, text } from '../language/scalars.js';
import { Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import {
  NAMES_ONE_ATTRIBUTE,
  attributeKeys,
  attributeWords,
  namesOneAttribute,
  pathOf,
} from './attribute.js';
import { OF_LINES, defineStep } from './definition.js';

const schema = z
  .strictObject({
    ...attributeKeys,
    as: captureName.optional().meta({ description: 'captures the content (trimmed)' }),
    equals: text.optional().meta({ description: 'the content, trimmed, is exactly this' }),
    matches: pattern.optional().meta({ description: 'regular expression on the content' }),
  })
  .refine(namesOneAttribute, NAMES_ONE_ATTRIBUTE)
  .meta({
    description: 'reads an attribute',
    examples: [{ of: 'r.dax', attr: 'state', equals: 'unplugged' }],
  });

export const read = defineStep({
  schema,
  honours: OF_LINES,
  captures: true,
  title: (body) => `read ${attributeWords(body)}`,
  run: readAttribute,
});

async function readAttribute(body: z.output<typeof schema>, scope: StepScope): Promise<void> {
  const path = pathOf(body);
  const [line] = await scope.type(readLine(path));
  const content = line?.stdout.trim() ?? '';
  scope.capture(body.as, { kind: 'value', value: content });
  if (body.equals !== undefined && content !== body.equals) {
    throw new Unmet({
      message: `${path} is not what it should be`,
      path: ['equals'],
      subject: path,
      expected: body.equals,
      received: content,
    });
  }
  if (body.matches !== undefined && !matches(content, body.matches, { lines: true })) {
    throw new Unmet({
      message: `${path} does not match`,
      path: ['matches'],
      subject: path,
      expected: `/${body.matches}/`,
      received: content,
    });
  }
}
