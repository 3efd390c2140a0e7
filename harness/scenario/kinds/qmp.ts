import { z } from 'zod';
import { qmpFaults } from '../language/qmp-commands.js';
import { giveCommand } from '../steps/give-command.js';
import { jsonMismatch } from '../steps/json-contains.js';
import { Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { defineStep } from './definition.js';

const schema = z
  .strictObject({
    execute: z.string().min(1),
    arguments: z.record(z.string(), z.unknown()).optional(),
    returns: z.unknown().optional().meta({ description: 'the answer contains this' }),
  })
  .meta({
    description: 'a QMP command to the emulator; those that reach files or commands of the host are refused',
    examples: [{ execute: 'query-status', returns: { status: 'running' } }],
  });

export const qmp = defineStep({
  schema,
  honours: [],
  title: ({ execute }) => `QMP ${execute}`,
  faults: (body) => qmpFaults(body.execute, body.arguments),
  run: ask,
});

async function ask(body: z.output<typeof schema>, scope: StepScope): Promise<void> {
  const answer = await giveCommand(scope, body.execute, body.arguments);
  if (body.returns === undefined) return;
  const mismatch = jsonMismatch(answer, body.returns);
  if (!mismatch) return;
  throw new Unmet({
    message: `the answer to QMP ${body.execute} does not contain it`,
    path: ['returns', ...mismatch.path],
    expected: mismatch.expected,
    received: mismatch.received,
    subject: body.execute,
    blame: 'emulator',
  });
}
