import { driverLine, type DriverFile } from '../../abi/index.js';
import type { StepBody } from '../language.js';
import { NothingToDo } from './outcome.js';
import type { StepScope } from './scope.js';

type Body = StepBody<'bind' | 'unbind' | 'new-id' | 'remove-id'>;

const writeTo =
  (file: DriverFile) =>
  async ({ bus, driver, device }: Body, scope: StepScope): Promise<void> => {
    await scope.type(driverLine(bus, scope.driverName(driver), file, device));
  };

export const bind = writeTo('bind');

/** In a cleanup, a device that the driver has let go of already is none of its business. */
export async function unbind(body: Body, scope: StepScope): Promise<void> {
  if (scope.isCleanup && isKnownUnbound(body, scope)) {
    throw new NothingToDo(`${body.device} is not bound to ${body.driver}`);
  }
  await writeTo('unbind')(body, scope);
}

export const newId = writeTo('new_id');
export const removeId = writeTo('remove_id');

function isKnownUnbound({ bus, driver, device }: Body, scope: StepScope): boolean {
  const known = (['cxl', 'dax', 'nd'] as const).find((one) => one === bus);
  return known !== undefined && scope.state().bindings[known][device] !== scope.driverName(driver);
}
