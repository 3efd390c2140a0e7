import { allowModuleLine, denyModuleLines, loadModuleLine, unloadModuleLine } from '../../abi/index.js';
import type { StepBody } from '../language.js';
import type { StepScope } from './scope.js';

export async function changeModule(body: StepBody<'module'>, scope: StepScope): Promise<void> {
  if ('load' in body) await scope.type(loadModuleLine(body.load, body.params));
  else if ('unload' in body) await scope.type(unloadModuleLine(body.unload));
  else if ('deny' in body) await scope.type(...denyModuleLines(body.deny));
  else await scope.type(allowModuleLine(body.allow));
}
