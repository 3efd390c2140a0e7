import { simpleSteps, type SimpleStepKind, type StepDefinition } from '../kinds/index.js';
import { kindOf, type Loop, type StepBody, type StepDocument, type StepKind } from './language.js';

const LONGEST_TITLE = 100;

/** What a step does, in a line: its `name`, or the step in a few words. */
export function describeStep(step: StepDocument): string {
  const kind = kindOf(step);
  const title = step.name ?? describeBody(kind, step);
  return oneLine(`${title}${step.name === undefined ? describeRefusal(step) : ''}`);
}

function describeRefusal({ fails, 'may-fail': mayFail }: StepDocument): string {
  if (fails != null) return `, refused with ${anyOf(fails)}`;
  return mayFail === undefined ? '' : `, or refused with ${anyOf(mayFail)}`;
}

/** Those that hold further steps. */
const OUTER = {
  parallel: (branches: StepBody<'parallel'>, { loop }: StepDocument): string =>
    `${branches.length} branches at once${loop ? loopWords(loop) : ''}`,
  repeat: ({ times, steps }: StepBody<'repeat'>): string =>
    `${times} times: ${steps.map(describeStep).join('; ')}`,
} as const;

function describeBody(kind: StepKind, step: StepDocument): string {
  const outer = OUTER[kind as keyof typeof OUTER] as
    ((body: unknown, step: StepDocument) => string) | undefined;
  if (outer) return outer(step[kind], step);
  const definition: StepDefinition = simpleSteps[kind as SimpleStepKind];
  return definition.title(step[kind]);
}

function loopWords({ times, for: time, seed }: Loop): string {
  const turns = [times === undefined ? [] : `${times} times`, time === undefined ? [] : `for ${time}`].flat();
  return `, ${turns.join(' or ')}${seed === undefined ? '' : `, seed ${seed}`}`;
}

function anyOf(names: string | readonly string[]): string {
  return [names].flat().join(' or ');
}

function oneLine(text: string): string {
  // a line of a shell script more or less does not belong into a title, nor do control characters into a terminal
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line.length > LONGEST_TITLE ? `${line.slice(0, LONGEST_TITLE - 3)}...` : line;
}
