import { z } from 'zod';
import { captureName, exit, pattern, text } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';
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
});

export const daxctl = defineStep({
  schema: toolCall.meta({
    description: 'the daxctl command',
    examples: [{ args: ['reconfigure-device', '--mode=devdax', '--force', '${r.dax}'] }],
  }),
  honours: OF_LINES,
  captures: true,
  title: (body) => `daxctl ${argumentsOf(body.args)}`,
});

export const ndctl = defineStep({
  schema: toolCall.meta({
    description: 'the ndctl command',
    examples: [{ args: 'create-namespace -m devdax -r region0', as: 'namespace' }],
  }),
  honours: OF_LINES,
  captures: true,
  title: (body) => `ndctl ${argumentsOf(body.args)}`,
});
