import { z } from 'zod';
import { bus } from '../clauses/words.js';
import { deviceName, driverName } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';

const onBus = z.strictObject({
  bus,
  driver: driverName,
  device: deviceName.meta({ description: 'what is written: a device name of the bus' }),
});

export const bind = defineStep({
  schema: onBus.meta({
    description: "writes a device to a driver's bind attribute",
    examples: [{ bus: 'cxl', driver: 'cxl_region', device: 'r' }],
  }),
  honours: OF_LINES,
  title: ({ bus, driver, device }) => `bind ${device} to ${bus}/${driver}`,
});

export const unbind = defineStep({
  schema: onBus.meta({
    description: "writes a device to a driver's unbind attribute",
    examples: [{ bus: 'dax', driver: 'kmem', device: 'r.dax' }],
  }),
  honours: OF_LINES,
  title: ({ bus, driver, device }) => `unbind ${device} from ${bus}/${driver}`,
});

export const newId = defineStep({
  schema: onBus.meta({
    description: "writes a device to a driver's new_id attribute",
    examples: [{ bus: 'dax', driver: 'device_dax', device: 'r.dax' }],
  }),
  honours: OF_LINES,
  title: ({ bus, driver, device }) => `write ${device} to new_id of ${bus}/${driver}`,
});

export const removeId = defineStep({
  schema: onBus.meta({
    description: "writes a device to a driver's remove_id attribute",
    examples: [{ bus: 'dax', driver: 'device_dax', device: 'r.dax' }],
  }),
  honours: OF_LINES,
  title: ({ bus, driver, device }) => `write ${device} to remove_id of ${bus}/${driver}`,
});
