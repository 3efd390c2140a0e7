import { z } from 'zod';
import { text } from '../scalars.js';
import { attributeKeys, attributeWords, namesOneAttribute, NAMES_ONE_ATTRIBUTE } from './attribute.js';
import { defineStep, OF_LINES } from './definition.js';

export const write = defineStep({
  schema: z
    .strictObject({ ...attributeKeys, value: text })
    .refine(namesOneAttribute, NAMES_ONE_ATTRIBUTE)
    .meta({
      description: 'writes an attribute: one write() of the value and a newline',
      examples: [{ of: 'r', attr: 'commit', value: 0 }],
    }),
  honours: OF_LINES,
  title: (body) => `write ${body.value === '' ? 'nothing' : body.value} to ${attributeWords(body)}`,
});

export const set = defineStep({
  schema: z
    .strictObject({ ...attributeKeys, value: text })
    .refine(namesOneAttribute, NAMES_ONE_ATTRIBUTE)
    .meta({
      description:
        'writes an attribute, and what it was before when the case is over (where `leaves-no-trace` is true)',
      examples: [{ path: '/sys/devices/system/memory/auto_online_blocks', value: 'online_movable' }],
    }),
  honours: ['timeout'],
  instead: { fails: 'what must be refused is written by `write`' },
  title: (body) => `set ${attributeWords(body)} to ${body.value}`,
});
