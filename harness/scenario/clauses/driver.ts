import { z } from 'zod';
import { quote } from '../../base/sh-quote.js';
import { deviceName, driverName as driverNameOf } from '../language/scalars.js';
import { compare, driverName, existence, present } from './compare.js';
import { defineClause, type Question } from './definition.js';
import { check, text } from './shell.js';
import { bus } from './words.js';

/** Buses whose bindings are part of the state. */
const BUSES_OF_STATE = ['cxl', 'dax', 'nd'] as const;

function linkOfDriver(busName: string, device: string): Question {
  const folder = quote(`/sys/bus/${busName}/devices/${device}`);
  return `[ -e ${folder} ] && echo && readlink ${folder}/driver`;
}

export const driver = defineClause({
  schema: z
    .strictObject({ bus, device: deviceName, driver: z.union([driverNameOf, z.null()]) })
    .meta({ description: 'which driver a device of a bus is bound to; null: none' }),
  selectors: ['bus', 'device'],
  asks: (clause) =>
    BUSES_OF_STATE.some((one) => one === clause.bus) ? [] : [linkOfDriver(clause.bus, clause.device)],
  misses(clause, world) {
    const subject = `/sys/bus/${clause.bus}/devices/${clause.device}`;
    const ofState = BUSES_OF_STATE.find((one) => one === clause.bus);
    const link = world.answer(linkOfDriver(clause.bus, clause.device));
    const bound =
      ofState !== undefined
        ? world.state.bindings[ofState][clause.device]
        : link === undefined
          ? undefined
          : link.trim().split('/').at(-1) || null;
    if (bound === undefined) return existence(subject, undefined, false).misses;
    return present([compare('driver', `${subject}/driver`, driverName(clause.driver, world), bound)]);
  },
  checks(clause) {
    const device = text(clause['device']);
    const bound = `driver_of ${text(clause['bus'])} ${quote(device)}`;
    return [check(`driver of ${device}`, text(clause['driver'] ?? 'none'), bound)];
  },
});
