import { z } from 'zod';
import { type TypedShLine, toolLine } from '../../abi/index.js';
import { captureName, exit, pattern, text } from '../language/scalars.js';
import { jsonMismatch } from '../steps/json-contains.js';
import { Refusal, Unmet } from '../steps/outcome.js';
import { checkExit, checkText } from '../steps/program-ends.js';
import type { StepScope } from '../steps/scope.js';
import { OF_LINES, defineStep } from './definition.js';
import { argumentsOf } from './words.js';

const toolCall = z.strictObject({
  args: z
    .union([z.string(), z.array(text)])
    .meta({ description: 'a text is parsed by the guest shell, a list is taken as it is' }),
  as: captureName.optional().meta({ description: "captures the tool's standard output (trimmed)" }),
  json: z.unknown().optional().meta({ description: 'the JSON printed contains this' }),
  exit: exit.optional().meta({ description: 'how it must end; 0 when absent' }),
  stderr: pattern.optional().meta({ description: 'regular expression on standard error' }),
});

export const cxl = defineStep({
  schema: toolCall.meta({
    description: 'the cxl command of cxl-cli',
    examples: [{ args: 'list -R', json: [{ region: '${r}', interleave_ways: 2 }] }],
  }),
  honours: OF_LINES,
  captures: true,
  title: (body) => `cxl ${argumentsOf(body.args)}`,
  run: callTool('cxl'),
});

export const daxctl = defineStep({
  schema: toolCall.meta({
    description: 'the daxctl command',
    examples: [{ args: ['reconfigure-device', '--mode=devdax', '--force', '${r.dax}'] }],
  }),
  honours: OF_LINES,
  captures: true,
  title: (body) => `daxctl ${argumentsOf(body.args)}`,
  run: callTool('daxctl'),
});

export const ndctl = defineStep({
  schema: toolCall.meta({
    description: 'the ndctl command',
    examples: [{ args: 'create-namespace -m devdax -r region0', as: 'namespace' }],
  }),
  honours: OF_LINES,
  captures: true,
  title: (body) => `ndctl ${argumentsOf(body.args)}`,
  run: callTool('ndctl'),
});

type Body = z.output<typeof toolCall>;

function callTool(tool: 'cxl' | 'daxctl' | 'ndctl') {
  return async (body: Body, scope: StepScope): Promise<void> => {
    const line = await typed(scope, () => scope.type(toolLine(tool, body.args)));
    checkExit(line, body.exit);
    scope.capture(body.as, { kind: 'value', value: line.stdout.trim() });
    checkText(line.stderr, body.stderr, 'stderr', `standard error of ${tool}`);
    if (body.json !== undefined) checkJson(line, body.json);
  };
}

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
