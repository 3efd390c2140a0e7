import { readLine, writeLine } from '../../abi/index.js';
import { matches } from '../../base/pattern.js';
import type { StepBody } from '../language.js';
import { Unmet } from './outcome.js';
import type { StepScope } from './scope.js';

export async function write({ path, value }: StepBody<'write'>, scope: StepScope): Promise<void> {
  await scope.type(writeLine(path, value));
}

export async function read(body: StepBody<'read'>, scope: StepScope): Promise<void> {
  const [line] = await scope.type(readLine(body.path));
  const content = line?.stdout.trim() ?? '';
  scope.capture(body.as, { kind: 'value', value: content });
  if (body.equals !== undefined && content !== body.equals) {
    throw new Unmet({
      message: `${body.path} is not what it should be`,
      path: ['equals'],
      subject: body.path,
      expected: body.equals,
      received: content,
    });
  }
  if (body.matches !== undefined && !matches(content, body.matches, { lines: true })) {
    throw new Unmet({
      message: `${body.path} does not match`,
      path: ['matches'],
      subject: body.path,
      expected: `/${body.matches}/`,
      received: content,
    });
  }
}
