import { readLine, writeLine } from '../../abi/index.js';
import { matches } from '../../base/pattern.js';
import { attributePath } from '../kinds/attribute.js';
import type { StepBody } from '../language.js';
import { Unmet } from './outcome.js';
import type { StepScope } from './scope.js';

export async function write(body: StepBody<'write'>, scope: StepScope): Promise<void> {
  await scope.type(writeLine(pathOf(body), body.value));
}

/** The value that was there is written again when the case is over: see `undoing`. */
export async function set(body: StepBody<'set'>, scope: StepScope): Promise<void> {
  const path = pathOf(body);
  const [line] = await scope.type(readLine(path));
  await scope.type(writeLine(path, body.value));
  scope.session.done.add({ kind: 'set', path, before: line?.stdout.trim() ?? '', step: scope.step });
}

function pathOf(body: Pick<StepBody<'write'>, 'path' | 'of' | 'attr'>): string {
  const path = attributePath(body);
  if (path !== undefined) return path;
  throw new Unmet({
    message: `${body.of ?? ''} is no device whose bus is known: write the path of its attribute`,
    path: ['of'],
    blame: 'scenario',
  });
}

export async function read(body: StepBody<'read'>, scope: StepScope): Promise<void> {
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
