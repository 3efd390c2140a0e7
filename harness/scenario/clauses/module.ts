import { z } from 'zod';
import { moduleName } from '../language/scalars.js';
import { compare, present } from './compare.js';
import { defineClause } from './definition.js';
import { check, text, yesOrNo } from './shell.js';

export const module = defineClause({
  schema: z
    .strictObject({ name: moduleName, loaded: z.boolean() })
    .meta({ description: 'whether a module is loaded' }),
  selectors: ['name'],
  misses(clause, world) {
    const loaded = world.state.modules.includes(clause.name.replaceAll('-', '_'));
    return present([compare('loaded', `/sys/module/${clause.name}`, clause.loaded, loaded)]);
  },
  checks(clause) {
    const name = text(clause['name']).replaceAll('-', '_');
    const is = `grep -q '^${name} ' /proc/modules && echo yes || echo no`;
    return [check(`module ${name} loaded`, yesOrNo(clause['loaded']), is)];
  },
});
