import { z } from 'zod';
import { captureName, exit, pattern, text } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';

export const exec = defineStep({
  schema: z
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
    }),
  honours: OF_LINES,
  captures: true,
  title: ({ sh }) => sh.trim(),
});
