import { z } from 'zod';
import { moduleName, moduleParameter } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';

export const moduleStep = defineStep({
  schema: z
    .union([
      z.strictObject({ load: moduleName, params: z.array(moduleParameter).optional() }),
      z.strictObject({ unload: moduleName }),
      z.strictObject({ deny: moduleName }),
      z.strictObject({ allow: moduleName }),
    ])
    .meta({
      description: 'loads or unloads a module; `deny` keeps it from being loaded until `allow`',
      examples: [{ deny: 'kmem' }],
    }),
  honours: OF_LINES,
  title: (body) =>
    Object.entries(body)
      .map(([verb, name]) => `${verb} ${[name].flat().join(' ')}`)
      .join(' with '),
});
