import { z } from 'zod';
import { type DriverFile, driverLine } from '../../abi/index.js';
import { bus } from '../clauses/words.js';
import { deviceName, driverName } from '../language/scalars.js';
import { NothingToDo } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { OF_LINES, defineStep } from './definition.js';

const onBus = z.strictObject({
  bus,
  driver: driverName,
  device: deviceName.meta({ description: 'what is written: a device name of the bus' }),
});

type Body = z.output<typeof onBus>;

export const bind = defineStep({
  schema: onBus.meta({
    description: "writes a device to a driver's bind attribute",
    examples: [{ bus: 'cxl', driver: 'cxl_region', device: 'r' }],
  }),
  honours: OF_LINES,
  title: ({ bus, driver, device }) => `bind ${device} to ${bus}/${driver}`,
  run: writeTo('bind'),
});

export const unbind = defineStep({
  schema: onBus.meta({
    description: "writes a device to a driver's unbind attribute",
    examples: [{ bus: 'dax', driver: 'kmem', device: 'r.dax' }],
  }),
  honours: OF_LINES,
  title: ({ bus, driver, device }) => `unbind ${device} from ${bus}/${driver}`,
  run: unbindIfBound,
});

export const newId = defineStep({
  schema: onBus.meta({
    description: "writes a device to a driver's new_id attribute",
    examples: [{ bus: 'dax', driver: 'device_dax', device: 'r.dax' }],
  }),
  honours: OF_LINES,
  title: ({ bus, driver, device }) => `write ${device} to new_id of ${bus}/${driver}`,
  run: writeTo('new_id'),
});

export const removeId = defineStep({
  schema: onBus.meta({
    description: "writes a device to a driver's remove_id attribute",
    examples: [{ bus: 'dax', driver: 'device_dax', device: 'r.dax' }],
  }),
  honours: OF_LINES,
  title: ({ bus, driver, device }) => `write ${device} to remove_id of ${bus}/${driver}`,
  run: writeTo('remove_id'),
});

function writeTo(file: DriverFile) {
  return async ({ bus: name, driver, device }: Body, scope: StepScope): Promise<void> => {
    await scope.type(driverLine(name, scope.driverName(driver), file, device));
  };
}

/** In a cleanup, a device that the driver has let go of already is none of its business. */
async function unbindIfBound(body: Body, scope: StepScope): Promise<void> {
  if (scope.isCleanup && isKnownUnbound(body, scope)) {
    throw new NothingToDo(`${body.device} is not bound to ${body.driver}`);
  }
  await writeTo('unbind')(body, scope);
}

function isKnownUnbound({ bus: name, driver, device }: Body, scope: StepScope): boolean {
  const known = (['cxl', 'dax', 'nd'] as const).find((one) => one === name);
  return known !== undefined && scope.state().bindings[known][device] !== scope.driverName(driver);
}
