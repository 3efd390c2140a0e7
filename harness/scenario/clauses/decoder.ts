import { z } from 'zod';
import { count, size as sizeOf, text as textOf, thing } from '../language/scalars.js';
import { bytes, compare, number, presence, present } from './compare.js';
import { defineClause } from './definition.js';
import { check, pathCheck, size, text, when } from './shell.js';
import { exists } from './words.js';

export const decoder = defineClause({
  schema: z
    .strictObject({
      name: thing.optional().meta({ description: 'decoder0.0' }),
      'endpoint-of': textOf.optional().meta({ description: 'topology device id: its endpoint decoders' }),
      region: thing.optional().meta({ description: 'those that take part in the region' }),
      exists,
      mode: textOf.optional(),
      dpa_size: sizeOf.optional(),
      size: sizeOf.optional(),
      interleave_ways: count.optional(),
      interleave_granularity: count.optional(),
      count: count.optional().meta({ description: 'how many decoders the other keys select' }),
    })
    .meta({ description: 'root, switch and endpoint decoders' }),
  selectors: ['name', 'endpoint-of', 'region'],
  regionKey: 'region',
  deviceKey: 'endpoint-of',
  misses(clause, world) {
    const endpointOf = clause['endpoint-of'];
    const memdev = endpointOf === undefined ? undefined : world.memdevOf(endpointOf);
    const selected = Object.entries(world.state.decoders).filter(
      ([name, one]) =>
        (clause.name === undefined || name === clause.name) &&
        (endpointOf === undefined || (memdev !== undefined && one.memdev === memdev)) &&
        (clause.region === undefined || one.region === clause.region),
    );
    const where = [
      endpointOf === undefined ? '' : ` of ${endpointOf}`,
      clause.region === undefined ? '' : ` in ${clause.region}`,
    ].join('');
    const subject = clause.name === undefined ? `decoders${where}` : `/sys/bus/cxl/devices/${clause.name}`;
    const { misses, goOn } = presence(subject, clause, selected.length);
    if (!goOn) return misses;
    return selected.flatMap(([name, one]) => {
      const path = `/sys/bus/cxl/devices/${name}`;
      return present([
        compare('mode', path, clause.mode, one.mode),
        compare('dpa_size', path, bytes(clause.dpa_size), one.dpaSize),
        compare('size', path, bytes(clause.size), one.size),
        compare('interleave_ways', path, number(clause.interleave_ways), one.interleaveWays),
        compare(
          'interleave_granularity',
          path,
          number(clause.interleave_granularity),
          one.interleaveGranularity,
        ),
      ]);
    });
  },
  checks(clause) {
    if (clause['name'] === undefined || clause['count'] !== undefined) return [];
    if (clause['region'] !== undefined || clause['endpoint-of'] !== undefined) return [];
    const name = text(clause['name']);
    return [
      ...pathCheck(clause, `$D/${name}`, name),
      ...when(clause, 'mode', (want) => check(`mode of ${name}`, text(want), `cat $D/${name}/mode`)),
      ...['dpa_size', 'size', 'interleave_ways', 'interleave_granularity'].flatMap((key) =>
        when(clause, key, (want) => check(`${key} of ${name}`, size(want), `number $D/${name}/${key}`)),
      ),
    ];
  },
});
