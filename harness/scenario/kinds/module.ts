import { z } from 'zod';
import { allowModuleLine, denyModuleLines, loadModuleLine, unloadModuleLine } from '../../abi/index.js';
import { moduleName, moduleParameter } from '../language/scalars.js';
import type { StepScope } from '../steps/scope.js';
import { OF_LINES, defineStep } from './definition.js';

const schema = z
  .union([
    z.strictObject({ load: moduleName, params: z.array(moduleParameter).optional() }),
    z.strictObject({ unload: moduleName }),
    z.strictObject({ deny: moduleName }),
    z.strictObject({ allow: moduleName }),
  ])
  .meta({
    description: 'loads or unloads a module; `deny` keeps it from being loaded until `allow`',
    examples: [{ deny: 'kmem' }],
  });

export const moduleStep = defineStep({
  schema,
  honours: OF_LINES,
  title: (body) =>
    Object.entries(body)
      .map(([verb, name]) => `${verb} ${[name].flat().join(' ')}`)
      .join(' with '),
  run: changeModule,
});

async function changeModule(body: z.output<typeof schema>, scope: StepScope): Promise<void> {
  if ('load' in body) await scope.type(loadModuleLine(body.load, body.params));
  else if ('unload' in body) await scope.type(unloadModuleLine(body.unload));
  else if ('deny' in body) await scope.type(...denyModuleLines(body.deny));
  else await scope.type(allowModuleLine(body.allow));
}
