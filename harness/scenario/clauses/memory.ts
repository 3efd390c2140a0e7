import { z } from 'zod';
import type { MemoryBlock } from '../../abi/index.js';
import { count, oneOrMore, reference, size as sizeOf, thing } from '../language/scalars.js';
import { allBlocks, blocksWithin } from '../steps/select.js';
import { bytes, compare, existence, number, present } from './compare.js';
import { defineClause, type World } from './definition.js';
import { check, orNothing, size, text, when } from './shell.js';

const blockState = z.union([z.enum(['offline', 'online', 'going-offline']), reference]);
const blockZone = z.union([z.enum(['DMA', 'DMA32', 'Normal', 'Movable', 'Device', 'none']), reference]);

const schema = z
  .strictObject({
    of: thing.optional().meta({ description: 'the blocks within the region' }),
    node: count.optional().meta({ description: 'the blocks of the NUMA node' }),
    block: count.optional().meta({ description: 'memory<block>' }),
    count: count.optional().meta({ description: 'how many blocks are selected' }),
    state: blockState.optional().meta({ description: 'every selected block is in this state' }),
    zone: oneOrMore(blockZone)
      .optional()
      .meta({ description: 'every selected block is in one of these zones' }),
    online: count.optional().meta({ description: 'how many of the selected blocks are online' }),
    bytes: sizeOf.optional().meta({ description: 'their size together' }),
  })
  .meta({ description: 'memory blocks: those of a region, of a node, one, or all' });

function selectBlocks(clause: z.output<typeof schema>, { state, ranges }: World): [number, MemoryBlock][] {
  const range = clause.of === undefined ? undefined : ranges.get(clause.of);
  const within = clause.of === undefined ? allBlocks(state) : range ? blocksWithin(range, state) : [];
  return within.filter(
    ([block, one]) =>
      (clause.node === undefined || one.node === number(clause.node)) &&
      (clause.block === undefined || block === number(clause.block)),
  );
}

export const memory = defineClause({
  schema,
  selectors: ['of', 'node', 'block'],
  regionKey: 'of',
  misses(clause, world) {
    const selected = selectBlocks(clause, world);
    const names = [
      clause.of === undefined ? '' : ` of ${clause.of}`,
      clause.node === undefined ? '' : ` of node ${clause.node}`,
    ].join('');
    const subject =
      clause.block === undefined
        ? `memory blocks${names}`
        : `/sys/devices/system/memory/memory${clause.block}`;
    const online = selected.filter(([, { state }]) => state === 'online').length;
    const zones = clause.zone === undefined ? undefined : [clause.zone].flat();
    const speaksOfEach = clause.state !== undefined || zones !== undefined;
    const total = present([
      compare('count', subject, number(clause.count), selected.length),
      compare('online', subject, number(clause.online), online),
      compare('bytes', subject, bytes(clause.bytes), selected.length * world.state.memoryBlockBytes),
    ]);
    if (total.length > 0) return total;
    if (selected.length === 0 && speaksOfEach && clause.count === undefined) {
      return existence(subject, undefined, false).misses;
    }
    return selected.flatMap(([block, one]) => {
      const path = `/sys/devices/system/memory/memory${block}`;
      const isInZone = zones === undefined || (one.zones.length === 1 && zones.includes(one.zones[0] ?? ''));
      return present([
        compare('state', `${path}/state`, clause.state, one.state),
        isInZone
          ? undefined
          : {
              message: `zone of ${path} is ${one.zones.join(' ')}`,
              path: ['zone'],
              subject: `${path}/valid_zones`,
              expected: clause.zone,
              received: one.zones.join(' '),
            },
      ]);
    });
  },
  checks(clause) {
    const { of, node, block } = clause;
    const names = [
      of === undefined ? '' : ` of ${text(of)}`,
      node === undefined ? '' : ` of node ${text(node)}`,
      block === undefined ? '' : ` memory${text(block)}`,
    ].join('');
    const what = `memory blocks${names}`;
    const list = [
      of === undefined ? 'all_blocks' : `blocks_of ${text(of)}`,
      ...(node === undefined ? [] : [`on_node ${text(node)}`]),
      ...(block === undefined ? [] : [`grep -x ${text(block)}`]),
    ].join(' | ');
    return [
      ...when(clause, 'count', (want) => check(`number of ${what}`, text(want), `${list} | wc -l`)),
      ...when(clause, 'online', (want) => check(`online of ${what}`, text(want), `${list} | count_online`)),
      ...when(clause, 'bytes', (want) =>
        check(`bytes of ${what}`, size(want), `echo $(($(${list} | wc -l) * $(block_bytes)))`),
      ),
      ...when(clause, 'state', (want) =>
        check(`state of ${what}`, orNothing(clause, text(want)), `${list} | each_state`),
      ),
      ...when(clause, 'zone', (want) => {
        const zones = [want].flat().map(text);
        return check(
          `zone of ${what}`,
          orNothing(clause, zones.join('|')),
          `${list} | each_zone '${zones.join('|')}'`,
        );
      }),
    ];
  },
  functions: `
block_bytes() { echo $((0x$(cat $M/block_size_bytes))); }

# memory blocks within a region, also after the region is gone
blocks_of() {
	if [ -e "$D/$1/resource" ]; then
		echo "$(number "$D/$1/resource") $(number "$D/$1/size")" >"$TMP/range-$1"
	fi
	read -r start size <"$TMP/range-$1" || return
	bytes=$(block_bytes)
	b=$((start / bytes))
	while [ $((b * bytes)) -lt $((start + size)) ]; do
		[ -e $M/memory$b ] && echo $b
		b=$((b + 1))
	done
}

all_blocks() {
	for b in $M/memory[0-9]*; do
		echo "\${b##*/memory}"
	done
}

# of the blocks on stdin, those of a node
on_node() {
	while read -r b; do
		[ -e "$M/memory$b/node$1" ] && echo "$b"
	done
}

# of the blocks on stdin, each one's state
each_state() {
	while read -r b; do cat $M/memory$b/state; done | sort -u
}

# each_zone WANTED: of the blocks on stdin, each one's zones; the first that is wanted when all are (| between)
each_zone() {
	while read -r b; do
		zone=$(cat $M/memory$b/valid_zones)
		case "|$1|" in *"|$zone|"*) echo "\${1%%|*}" ;; *) echo "$zone" ;; esac
	done | sort -u
}

count_online() {
	while read -r b; do cat $M/memory$b/state; done | grep -c '^online$'
}
`,
});
