import { z } from 'zod';
import { size as sizeOf, text as textOf } from '../language/scalars.js';
import { bytes, compare, driverName, existence, present } from './compare.js';
import { defineClause } from './definition.js';
import { check, serialOf, size, text, when } from './shell.js';
import { driver, exists } from './words.js';

export const memdev = defineClause({
  schema: z
    .strictObject({
      device: textOf.meta({ description: 'topology device id' }),
      exists,
      driver,
      ram_size: sizeOf.optional(),
      pmem_size: sizeOf.optional(),
      dc_size: sizeOf.optional().meta({ description: 'dynamic capacity that it can have' }),
      numa_node: z.number().int().optional(),
    })
    .meta({ description: 'the memdev of a topology device, found by its serial number' }),
  selectors: ['device'],
  deviceKey: 'device',
  misses(clause, world) {
    const name = world.memdevOf(clause.device);
    const found = name === undefined ? undefined : world.state.memdevs[name];
    const subject = name === undefined ? `memdev of ${clause.device}` : `/sys/bus/cxl/devices/${name}`;
    const { misses, goOn } = existence(subject, clause.exists, found !== undefined);
    if (!goOn || !found || name === undefined) return misses;
    return present([
      compare('driver', subject, driverName(clause.driver, world), world.state.bindings.cxl[name] ?? null),
      compare('ram_size', subject, bytes(clause.ram_size), found.ramBytes),
      compare('pmem_size', subject, bytes(clause.pmem_size), found.pmemBytes),
      compare('dc_size', subject, bytes(clause.dc_size), found.dcBytes),
      compare('numa_node', subject, clause.numa_node, found.numaNode),
    ]);
  },
  checks(clause, machine) {
    const serial = serialOf(clause['device'], machine);
    const what = `memdev with serial number ${serial}`;
    const file = (attribute: string): string => `"$D/$(memdev_with ${serial})/${attribute}"`;
    return [
      check(
        what,
        clause['exists'] === false ? 'no' : 'yes',
        `[ -n "$(memdev_with ${serial})" ] && echo yes || echo no`,
      ),
      ...when(clause, 'driver', (want) =>
        check(`driver of the ${what}`, text(want ?? 'none'), `driver_of cxl "$(memdev_with ${serial})"`),
      ),
      ...when(clause, 'ram_size', (want) =>
        check(`volatile capacity of the ${what}`, size(want), `number_or 0 ${file('ram/size')}`),
      ),
      ...when(clause, 'pmem_size', (want) =>
        check(`persistent capacity of the ${what}`, size(want), `number_or 0 ${file('pmem/size')}`),
      ),
      ...when(clause, 'dc_size', (want) =>
        check(
          `dynamic capacity of the ${what}`,
          size(want),
          `number ${file('dc/size')} || number ${file('dynamic_ram_1/size')}`,
        ),
      ),
      ...when(clause, 'numa_node', (want) =>
        check(`node of the ${what}`, text(want), `number ${file('numa_node')}`),
      ),
    ];
  },
  functions: `
memdev_with() {
	for m in $D/mem*; do
		[ "$(number "$m/serial")" = "$1" ] && echo "\${m##*/}"
	done
}

# number_or WITHOUT FILE: WITHOUT when there is no such file
number_or() { if [ -e "$2" ]; then number "$2"; else echo "$1"; fi; }
`,
});
