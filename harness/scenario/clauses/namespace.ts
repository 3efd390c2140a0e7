import { z } from 'zod';
import { count, size as sizeOf, text as textOf, thing } from '../language/scalars.js';
import { bytes, compare, existence, number, present } from './compare.js';
import { defineClause } from './definition.js';

export const namespace = defineClause({
  schema: z
    .strictObject({
      of: thing.optional().meta({ description: 'the CXL region that backs it' }),
      name: thing.optional(),
      count: count.optional(),
      mode: textOf.optional(),
      size: sizeOf.optional(),
      uuid: textOf.optional(),
    })
    .meta({ description: 'namespaces of persistent memory' }),
  selectors: ['of', 'name'],
  regionKey: 'of',
  misses(clause, world) {
    const selected = Object.entries(world.state.namespaces).filter(
      ([name, one]) =>
        (clause.name === undefined || name === clause.name) &&
        (clause.of === undefined || one.region === clause.of),
    );
    const subject =
      clause.name === undefined
        ? `namespaces${clause.of === undefined ? '' : ` of ${clause.of}`}`
        : `/sys/bus/nd/devices/${clause.name}`;
    if (clause.count !== undefined) {
      const miss = compare('count', subject, number(clause.count), selected.length);
      if (miss) return [miss];
    } else if (selected.length === 0) return existence(subject, undefined, false).misses;
    return selected.flatMap(([name, one]) => {
      const path = `/sys/bus/nd/devices/${name}`;
      return present([
        compare('mode', path, clause.mode, one.mode),
        compare('size', path, bytes(clause.size), one.size),
        compare('uuid', path, clause.uuid?.toLowerCase(), one.uuid),
      ]);
    });
  },
});
