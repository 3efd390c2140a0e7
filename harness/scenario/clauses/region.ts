import { z } from 'zod';
import { count, reference, size as sizeOf, text as textOf, thing } from '../language/scalars.js';
import { bytes, compare, driverName, existence, number, present } from './compare.js';
import { defineClause } from './definition.js';
import { check, pathCheck, serialOf, size, text, when } from './shell.js';
import { driver, exists, partitionMode } from './words.js';

export const region = defineClause({
  schema: z
    .strictObject({
      name: thing.meta({ description: 'a captured region, or region0' }),
      exists,
      mode: z.union([partitionMode, reference]).optional(),
      size: sizeOf.optional(),
      interleave_ways: count.optional(),
      interleave_granularity: count.optional(),
      committed: z.boolean().optional(),
      driver,
      targets: z.array(textOf).optional().meta({ description: 'topology device ids in interleave order' }),
      uuid: textOf.optional(),
    })
    .meta({ description: 'a CXL region' }),
  selectors: ['name'],
  regionKey: 'name',
  deviceKey: 'targets',
  misses(clause, world) {
    const subject = `/sys/bus/cxl/devices/${clause.name}`;
    const found = world.state.regions[clause.name];
    const { misses, goOn } = existence(subject, clause.exists, found !== undefined);
    if (!goOn || !found) return misses;
    const serials = found.targets.map((target) => {
      const memdev = target === null ? undefined : world.state.decoders[target]?.memdev;
      return memdev === undefined ? null : (world.state.memdevs[memdev]?.serial ?? null);
    });
    const ids = (serial: number | null): string | null =>
      serial === null ? null : (world.idOf(serial) ?? `a device with serial ${serial}`);
    return present([
      compare('mode', subject, driverName(clause.mode, world), found.mode),
      compare('size', subject, bytes(clause.size), found.size),
      compare('interleave_ways', subject, number(clause.interleave_ways), found.interleaveWays),
      compare(
        'interleave_granularity',
        subject,
        number(clause.interleave_granularity),
        found.interleaveGranularity,
      ),
      compare('committed', subject, clause.committed, found.committed),
      compare('driver', subject, driverName(clause.driver, world), found.driver),
      compare('targets', subject, clause.targets, serials.map(ids)),
      compare('uuid', subject, clause.uuid?.toLowerCase(), found.uuid ?? ''),
    ]);
  },
  checks(clause, machine) {
    const name = text(clause['name']);
    const file = (attribute: string): string => `$D/${name}/${attribute}`;
    return [
      ...pathCheck(clause, `$D/${name}`, name),
      ...when(clause, 'mode', (want) => check(`mode of ${name}`, text(want), `cat ${file('mode')}`)),
      ...when(clause, 'size', (want) => check(`size of ${name}`, size(want), `number ${file('size')}`)),
      ...when(clause, 'interleave_ways', (want) =>
        check(`ways of ${name}`, text(want), `number ${file('interleave_ways')}`),
      ),
      ...when(clause, 'interleave_granularity', (want) =>
        check(`granularity of ${name}`, text(want), `number ${file('interleave_granularity')}`),
      ),
      ...when(clause, 'committed', (want) =>
        check(`commit of ${name}`, want === true ? '1' : '0', `cat ${file('commit')}`),
      ),
      ...when(clause, 'driver', (want) =>
        check(`driver of ${name}`, text(want ?? 'none'), `driver_of cxl ${name}`),
      ),
      ...when(clause, 'targets', (want) => {
        const serials = [want].flat().map((id) => serialOf(id, machine));
        return check(`serial numbers of the targets of ${name}`, serials.join(' '), `targets_of ${name}`);
      }),
      ...when(clause, 'uuid', (want) =>
        check(`uuid of ${name}`, text(want).toLowerCase(), `cat ${file('uuid')}`),
      ),
    ];
  },
  functions: `
# serial numbers of a region's targets, in interleave order
targets_of() {
	way=0
	while [ -e "$D/$1/target$way" ]; do
		target=$(cat "$D/$1/target$way")
		if [ -n "$target" ]; then number "$(readlink -f "$D/$target/..")/uport/serial"; else echo none; fi
		way=$((way + 1))
	done | tr '\\n' ' ' | sed 's/ $//'
}
`,
});
