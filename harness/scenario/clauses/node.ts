import { z } from 'zod';
import { count, size as sizeOf } from '../language/scalars.js';
import { bytes, compare, present } from './compare.js';
import { defineClause } from './definition.js';
import { check, size, text, when, yesOrNo } from './shell.js';

export const node = defineClause({
  schema: z
    .strictObject({
      id: count,
      online: z.boolean().optional(),
      memory: z.boolean().optional().meta({ description: 'it has memory' }),
      bytes: sizeOf.optional(),
      cpus: z.boolean().optional().meta({ description: 'it has CPUs' }),
    })
    .meta({ description: 'a NUMA node' }),
  selectors: ['id'],
  misses(clause, world) {
    const found = world.state.nodes[Number(clause.id)];
    const subject = `/sys/devices/system/node/node${clause.id}`;
    return present([
      compare('online', subject, clause.online, found?.online ?? false),
      compare('memory', subject, clause.memory, found?.hasMemory ?? false),
      compare('bytes', `${subject}/meminfo`, bytes(clause.bytes), found?.memoryBytes ?? 0),
      compare('cpus', subject, clause.cpus, found?.hasCpu ?? false),
    ]);
  },
  checks(clause) {
    const id = text(clause['id']);
    const list = (file: string): string => `among ${id} /sys/devices/system/node/${file}`;
    return [
      ...when(clause, 'online', (want) => check(`node ${id} online`, yesOrNo(want), list('online'))),
      ...when(clause, 'memory', (want) => check(`node ${id} has memory`, yesOrNo(want), list('has_memory'))),
      ...when(clause, 'cpus', (want) => check(`node ${id} has CPUs`, yesOrNo(want), list('has_cpu'))),
      ...when(clause, 'bytes', (want) => check(`memory of node ${id}`, size(want), `node_bytes ${id}`)),
    ];
  },
  functions: `
# whether a node is in a list of nodes like 0-1,3
among() {
	for r in $(tr ',' ' ' <"$2"); do
		[ "$1" -ge "\${r%-*}" ] && [ "$1" -le "\${r#*-}" ] && { echo yes; return; }
	done
	echo no
}

node_bytes() { echo $(($(awk '/MemTotal/ { print $4 }' "/sys/devices/system/node/node$1/meminfo") * 1024)); }
`,
});
