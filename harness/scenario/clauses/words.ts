import { z } from 'zod';
import { driverName, reference } from '../language/scalars.js';

/** Values that several clauses and steps take. */

export const hotplugPolicy = z.enum(['offline', 'online', 'online_kernel', 'online_movable']);
export const partitionMode = z.enum(['ram', 'pmem', 'dc']);
export const bus = z.union([z.enum(['cxl', 'dax', 'nd', 'pci', 'memory', 'platform']), reference]);

export const exists = z.boolean().optional().meta({ description: 'false: it must not be there' });
export const driver = z
  .union([driverName, z.null()])
  .optional()
  .meta({ description: 'the driver it is bound to; null: none' });
