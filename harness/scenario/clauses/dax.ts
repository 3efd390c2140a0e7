import { z } from 'zod';
import { quote } from '../../base/sh-quote.js';
import { count, size as sizeOf, text as textOf, thing } from '../language/scalars.js';
import { bytes, compare, driverName, number, presence, present } from './compare.js';
import { defineClause, type Check, type Question } from './definition.js';
import { check, only, orNothing, presenceCheck, size, text, when, yesOrNo } from './shell.js';
import { driver, exists } from './words.js';

/**
 * open(2) of the node in /dev succeeds: it is there as long as the device, and without device_dax open is ENXIO. No part
 * of a snapshot: the kernel asks for a module when a node is opened that no driver serves, which takes 50 ms and is more
 * than looking. `true`, not `:`, which POSIX lets end the shell when its redirection fails.
 */
function opens(node: string): Question {
  return `true < ${quote(`/dev/${node}`)} && echo`;
}

const textOrNull = z.union([textOf, z.null()]).optional();

export const dax = defineClause({
  schema: z
    .strictObject({
      name: thing.optional().meta({ description: 'dax0.0' }),
      of: thing.optional().meta({ description: 'the region whose dax devices are meant' }),
      exists,
      count: count.optional(),
      driver,
      size: sizeOf.optional(),
      align: sizeOf.optional(),
      target_node: count.optional(),
      state: textOrNull.meta({ description: 'daxX.Y/state; null: the attribute is absent' }),
      hotplug: textOrNull.meta({ description: 'null: the attribute is absent' }),
      opens: z.boolean().optional().meta({ description: '/dev/daxX.Y can be opened: a driver serves it' }),
    })
    .meta({ description: 'dax devices' }),
  selectors: ['name', 'of'],
  regionKey: 'of',
  asks: (clause, { state }) => (clause.opens === undefined ? [] : Object.keys(state.daxDevices).map(opens)),
  misses(clause, world) {
    const selected = Object.entries(world.state.daxDevices).filter(
      ([name, one]) =>
        (clause.name === undefined || name === clause.name) &&
        (clause.of === undefined || one.region === clause.of),
    );
    const all =
      clause.name === undefined
        ? `dax devices${clause.of === undefined ? '' : ` of ${clause.of}`}`
        : `/sys/bus/dax/devices/${clause.name}`;
    const { misses, goOn } = presence(all, clause, selected.length);
    if (!goOn) return misses;
    return selected.flatMap(([name, one]) => {
      const subject = `/sys/bus/dax/devices/${name}`;
      return present([
        compare('driver', subject, driverName(clause.driver, world), one.driver),
        compare('size', subject, bytes(clause.size), one.size),
        compare('align', subject, bytes(clause.align), one.align),
        compare('target_node', subject, number(clause.target_node), one.targetNode),
        compare('state', `${subject}/state`, clause.state, one.state ?? null),
        compare('hotplug', `${subject}/hotplug`, clause.hotplug, one.hotplug ?? null),
        compare('opens', `/dev/${name}`, clause.opens, world.answer(opens(name)) !== undefined),
      ]);
    });
  },
  checks(clause) {
    const { of, name } = clause;
    const among = of === undefined ? 'ls /sys/bus/dax/devices' : `dax_of ${text(of)}`;
    const list = name === undefined ? among : only(among, name);
    const what = name === undefined ? `dax devices${of === undefined ? '' : ` of ${text(of)}`}` : text(name);
    const ofEach = (key: string, want: string): Check =>
      check(`${key} of ${what}`, orNothing(clause, want), `${list} | each_dax ${key}`);
    return [
      presenceCheck(clause, what, list),
      ...when(clause, 'driver', (want) => ofEach('driver', text(want ?? 'none'))),
      ...when(clause, 'size', (want) => ofEach('size', size(want))),
      ...when(clause, 'align', (want) => ofEach('align', size(want))),
      ...when(clause, 'target_node', (want) => ofEach('target_node', text(want))),
      ...when(clause, 'state', (want) => ofEach('state', text(want ?? 'absent'))),
      ...when(clause, 'hotplug', (want) => ofEach('hotplug', text(want ?? 'absent'))),
      ...when(clause, 'opens', (want) => ofEach('opens', yesOrNo(want))),
    ];
  },
  functions: `
# dax devices of a region
dax_of() {
	for d in /sys/bus/dax/devices/*; do
		case $(readlink -f "$d") in */"$1"/*) echo "\${d##*/}" ;; esac
	done
}

# of each dax device named on stdin, an attribute; 'absent' when it has none
each_dax() {
	while read -r d; do
		case $1 in
		driver) driver_of dax "$d" ;;
		opens) { true; } <"/dev/$d" 2>/dev/null && echo yes || echo no ;;
		size | align) number "/sys/bus/dax/devices/$d/$1" ;;
		*) cat "/sys/bus/dax/devices/$d/$1" 2>/dev/null || echo absent ;;
		esac
	done | sort -u
}
`,
});
