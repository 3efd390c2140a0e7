import { z } from 'zod';
import { type TypedShLine, errnoOf } from '../../abi/index.js';
import type { SubtestResult } from '../../trace/trace.js';
import { captureName, exit, pattern, text } from '../language/scalars.js';
import { parseKtap } from '../steps/ktap.js';
import { Lacking, Unmet } from '../steps/outcome.js';
import { checkExit, checkText } from '../steps/program-ends.js';
import type { StepScope } from '../steps/scope.js';
import { OF_LINES, defineStep } from './definition.js';

const schema = z
  .strictObject({
    sh: z.string().min(1).meta({ description: 'POSIX sh; write `$${` for a `${` of the shell' }),
    stdin: z.string().optional(),
    exit: exit.optional().meta({ description: 'how it must end; 0 when absent' }),
    skip: z.number().int().min(1).max(255).optional().meta({
      description:
        'exit status by which it says that it lacks something (77, of kselftests 4): the case is skipped, and the last line that it printed is why',
    }),
    ktap: z.boolean().optional().meta({
      description:
        'standard output is KTAP or TAP: each test in it is told in the reports, and none may be `not ok`',
    }),
    stdout: pattern.optional().meta({ description: 'regular expression on standard output' }),
    equals: text.optional().meta({ description: 'standard output, trimmed, is exactly this' }),
    as: captureName.optional().meta({ description: 'captures standard output (trimmed)' }),
  })
  .meta({
    description: 'runs a shell line in the guest',
    examples: [{ sh: 'numactl --membind=${r.node} true', exit: 0 }],
  });

export const exec = defineStep({
  schema,
  honours: OF_LINES,
  captures: true,
  title: ({ sh }) => sh.trim(),
  run: runLine,
});

async function runLine(body: z.output<typeof schema>, scope: StepScope): Promise<void> {
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
