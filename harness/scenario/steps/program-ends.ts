import type { TypedShLine } from '../../abi/index.js';
import { matches } from '../../base/pattern.js';
import type { Exit } from '../language/scalars.js';
import { Refusal, Unmet } from './outcome.js';

/** How a program of the guest ended and what it printed, against what a step says of it. */

export function checkExit(line: TypedShLine, expected: Exit = 0): void {
  if (mayEndWith(line.code, expected)) return;
  if (expected === 0) throw new Refusal(line);
  throw new Unmet({
    message: `exit status ${line.code}: ${line.text}`,
    path: ['exit'],
    expected,
    received: line.code,
    subject: line.text,
  });
}

function mayEndWith(code: number, expected: Exit): boolean {
  if (expected === 'any') return true;
  if (expected === 'nonzero') return code !== 0;
  return [expected].flat().includes(code);
}

export function checkText(text: string, pattern: string | undefined, key: string, what: string): void {
  if (pattern === undefined || matches(text, pattern, { lines: true })) return;
  throw new Unmet({
    message: `${what} does not match`,
    path: [key],
    expected: `/${pattern}/`,
    received: text.trim(),
  });
}
