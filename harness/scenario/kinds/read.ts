import { z } from 'zod';
import { captureName, pattern, text } from '../scalars.js';
import { attributeKeys, attributeWords, namesOneAttribute, NAMES_ONE_ATTRIBUTE } from './attribute.js';
import { defineStep, OF_LINES } from './definition.js';

export const read = defineStep({
  schema: z
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
    }),
  honours: OF_LINES,
  captures: true,
  title: (body) => `read ${attributeWords(body)}`,
});
