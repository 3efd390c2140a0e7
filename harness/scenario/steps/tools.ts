import { errnoOf, toolLine, type TypedShLine } from '../../abi/index.js';
import { matches } from '../../base/pattern.js';
import type { SubtestResult } from '../../report/trace.js';
import type { StepBody } from '../language.js';
import type { Exit } from '../scalars.js';
import { jsonMismatch } from './json-contains.js';
import { parseKtap } from './ktap.js';
import { Lacking, Refusal, Unmet } from './outcome.js';
import type { StepScope } from './scope.js';

type ToolBody = StepBody<'cxl' | 'daxctl' | 'ndctl'>;

export const runTool =
  (tool: 'cxl' | 'daxctl' | 'ndctl') =>
  async (body: ToolBody, scope: StepScope): Promise<void> => {
    const line = await typed(scope, () => scope.type(toolLine(tool, body.args)));
    checkExit(line, body.exit);
    scope.capture(body.as, { kind: 'value', value: line.stdout.trim() });
    checkText(line.stderr, body.stderr, 'stderr', `standard error of ${tool}`);
    if (body.json !== undefined) checkJson(line, body.json);
  };

export async function exec(body: StepBody<'exec'>, scope: StepScope): Promise<void> {
  const at = Date.now();
  const result = await scope.exec(body.sh, body.stdin);
  const stderr = result.stderr.toString('utf8');
  const errno = errnoOf(stderr);
  const line: TypedShLine = {
    text: body.sh.trim(),
    stdout: result.stdout.toString('utf8'),
    stderr,
    // as a shell reports a command that a signal ended
    code: result.code ?? 128,
    ...(errno === undefined ? {} : { errno }),
    at,
    milliseconds: result.milliseconds,
  };
  if (body.ktap) scope.subtests.push(...parseKtap(line.stdout));
  if (body.skip !== undefined && line.code === body.skip)
    throw new Lacking(lastLine(line) ?? `exit status ${body.skip}: ${line.text}`);
  checkSubtests(scope.subtests, line);
  checkExit(line, body.exit);
  const output = line.stdout.trim();
  scope.capture(body.as, { kind: 'value', value: output });
  checkText(line.stdout, body.stdout, 'stdout', 'standard output');
  if (body.equals !== undefined && output !== body.equals.trim()) {
    throw new Unmet({
      message: 'standard output is not what it should be',
      path: ['equals'],
      expected: body.equals,
      received: output,
      subject: line.text,
    });
  }
}

function lastLine({ stdout, stderr }: TypedShLine): string | undefined {
  const lines = (stderr.trim() === '' ? stdout : stderr).trim().split('\n');
  // (`set -x` tells commands by a plus)
  return lines.findLast((text) => text.trim() !== '' && !/^\++ /.test(text))?.trim();
}

function checkSubtests(subtests: readonly SubtestResult[], line: TypedShLine): void {
  const failed = subtests.filter(({ verdict }) => verdict === 'fail');
  if (failed.length === 0) return;
  const names = failed.slice(0, MOST_NAMED).map(({ name }) => name);
  const more = failed.length > MOST_NAMED ? ` and ${failed.length - MOST_NAMED} more` : '';
  throw new Unmet({
    message: `${failed.length} of ${subtests.length} tests not ok: ${names.join(', ')}${more}`,
    path: ['ktap'],
    expected: 'no test that is not ok',
    received: failed.map(({ name, reason }) => (reason === undefined ? name : `${name} (${reason})`)),
    subject: line.text,
  });
}

const MOST_NAMED = 5;

async function typed(scope: StepScope, type: () => Promise<TypedShLine[]>): Promise<TypedShLine> {
  try {
    const [line] = await type();
    if (line) return line;
  } catch (error) {
    if (error instanceof Refusal) return error.line;
    throw error;
  }
  throw new Unmet({ message: `step ${scope.id} typed nothing`, path: [], blame: 'rig' });
}

function checkExit(line: TypedShLine, expected: Exit = 0): void {
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

function checkText(text: string, pattern: string | undefined, key: string, what: string): void {
  if (pattern === undefined || matches(text, pattern, { lines: true })) return;
  throw new Unmet({
    message: `${what} does not match`,
    path: [key],
    expected: `/${pattern}/`,
    received: text.trim(),
  });
}

function checkJson(line: TypedShLine, expected: unknown): void {
  let printed: unknown;
  try {
    printed = JSON.parse(line.stdout);
  } catch {
    throw new Unmet({
      message: `${line.text} printed no JSON`,
      path: ['json'],
      expected,
      received: line.stdout.trim(),
      subject: line.text,
    });
  }
  const mismatch = jsonMismatch(printed, expected);
  if (!mismatch) return;
  throw new Unmet({
    message: `the JSON that ${line.text} printed does not contain it`,
    path: ['json', ...mismatch.path],
    expected: mismatch.expected,
    received: mismatch.received,
    subject: line.text,
  });
}
