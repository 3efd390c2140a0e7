import { z } from 'zod';
import { readLine, writeLine } from '../../abi/index.js';
import { text } from '../language/scalars.js';
import type { StepScope } from '../steps/scope.js';
import {
  NAMES_ONE_ATTRIBUTE,
  attributeKeys,
  attributeWords,
  namesOneAttribute,
  pathOf,
} from './attribute.js';
import { OF_LINES, defineStep } from './definition.js';

const attributeAndValue = z
  .strictObject({ ...attributeKeys, value: text })
  .refine(namesOneAttribute, NAMES_ONE_ATTRIBUTE);

type Body = z.output<typeof attributeAndValue>;

export const write = defineStep({
  schema: attributeAndValue.meta({
    description: 'writes an attribute: one write() of the value and a newline',
    examples: [{ of: 'r', attr: 'commit', value: 0 }],
  }),
  honours: OF_LINES,
  title: (body) => `write ${body.value === '' ? 'nothing' : body.value} to ${attributeWords(body)}`,
  run: writeValue,
});

export const set = defineStep({
  schema: attributeAndValue.meta({
    description:
      'writes an attribute, and what it was before when the case is over (where `leaves-no-trace` is true)',
    examples: [{ path: '/sys/devices/system/memory/auto_online_blocks', value: 'online_movable' }],
  }),
  honours: ['timeout'],
  instead: { fails: 'what must be refused is written by `write`' },
  title: (body) => `set ${attributeWords(body)} to ${body.value}`,
  run: setValue,
});

async function writeValue(body: Body, scope: StepScope): Promise<void> {
  await scope.type(writeLine(pathOf(body), body.value));
}

/** The value that was there is written again when the case is over: see `undoing`. */
async function setValue(body: Body, scope: StepScope): Promise<void> {
  const path = pathOf(body);
  const [line] = await scope.type(readLine(path));
  await scope.type(writeLine(path, body.value));
  scope.session.done.add({ kind: 'set', path, before: line?.stdout.trim() ?? '', step: scope.step });
}
