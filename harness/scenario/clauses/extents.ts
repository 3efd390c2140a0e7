import { z } from 'zod';
import { count, size as sizeOf, text as textOf, thing } from '../language/scalars.js';
import { bytes, compare, number, present } from './compare.js';
import { defineClause, type Check } from './definition.js';
import { check, orNothing, size, text, when } from './shell.js';

/** Extents are selected by region, by device, by place; what is asked of them must hold of each. */
export const extents = defineClause({
  schema: z
    .strictObject({
      of: thing.optional().meta({ description: 'the region whose extents are meant' }),
      device: textOf.optional().meta({ description: 'topology device id: extents of the regions on it' }),
      offset: sizeOf
        .optional()
        .meta({ description: 'the extent at this place, from the start of the region' }),
      count: count.optional(),
      length: sizeOf.optional().meta({ description: 'every selected extent is as long' }),
      bytes: sizeOf.optional().meta({ description: 'their length together' }),
      tag: z.union([textOf, z.null()]).optional().meta({ description: 'null: none' }),
      dax: z
        .union([thing, z.null()])
        .optional()
        .meta({ description: 'the dax device that every selected extent belongs to; null: none' }),
    })
    .meta({ description: 'extents of dynamic capacity that the host has accepted' }),
  selectors: ['of', 'device', 'offset'],
  regionKey: 'of',
  deviceKey: 'device',
  misses(clause, { state, memdevOf }) {
    const memdev = clause.device === undefined ? undefined : memdevOf(clause.device);
    const isOnDevice = (region: string): boolean =>
      memdev !== undefined &&
      (state.regions[region]?.targets ?? []).some(
        (target) => target !== null && state.decoders[target]?.memdev === memdev,
      );
    const selected = Object.entries(state.extents ?? {}).filter(
      ([, extent]) =>
        (clause.of === undefined || extent.region === clause.of) &&
        (clause.device === undefined || isOnDevice(extent.region)) &&
        (clause.offset === undefined || extent.offset === bytes(clause.offset)),
    );
    const subject = [
      'extents',
      clause.of === undefined ? '' : ` of ${clause.of}`,
      clause.device === undefined ? '' : ` of ${clause.device}`,
      clause.offset === undefined ? '' : ` at ${clause.offset}`,
    ].join('');
    const together = selected.reduce((sum, [, { length }]) => sum + length, 0);
    const misses = present([
      compare('count', subject, number(clause.count), selected.length),
      compare('bytes', subject, bytes(clause.bytes), together),
    ]);
    const asksOfEach = [clause.length, clause.tag, clause.dax].some((value) => value !== undefined);
    if (misses.length === 0 && asksOfEach && selected.length === 0 && clause.count === undefined) {
      return [
        { message: `there are no ${subject}`, path: [], subject, expected: 'extents', received: 'none' },
      ];
    }
    return [
      ...misses,
      ...selected.flatMap(([name, extent]) => {
        const path = `/sys/bus/cxl/devices/${extent.region}/${name}`;
        return present([
          compare('length', path, bytes(clause.length), extent.length),
          compare('tag', path, clause.tag, extent.tag ?? null),
          compare('dax', path, clause.dax, extent.dax ?? null),
        ]);
      }),
    ];
  },
  checks(clause) {
    const { of, device, offset } = clause;
    if (device !== undefined) return [];
    const what = [
      'extents',
      of === undefined ? '' : ` of ${text(of)}`,
      offset === undefined ? '' : ` at ${text(offset)}`,
    ].join('');
    const all = `extents_of ${of === undefined ? 'region*' : text(of)}`;
    const list = offset === undefined ? all : `${all} | extent_at ${size(offset)}`;
    const ofEach = (key: string, want: string): Check =>
      check(`${key} of ${what}`, orNothing(clause, want), `${list} | each_extent ${key}`);
    return [
      ...when(clause, 'count', (want) => check(`number of ${what}`, text(want), `${list} | wc -l`)),
      ...when(clause, 'bytes', (want) => check(`bytes of ${what}`, size(want), `${list} | extent_bytes`)),
      ...when(clause, 'length', (want) => ofEach('length', size(want))),
      ...when(clause, 'tag', (want) => ofEach('tag', text(want ?? 'none'))),
      ...when(clause, 'dax', (want) => ofEach('dax', text(want ?? 'none'))),
    ];
  },
  functions: `
# folders of the extents of a region, which are below it or below its dax region
extents_of() {
	for e in $D/$1/extent* $D/$1/*/extent*; do
		[ -e "$e/length" ] && echo "$e"
	done
}

# of the extents on stdin, the one at an offset
extent_at() {
	while read -r e; do [ "$(number "$e/offset")" = "$1" ] && echo "$e"; done
}

extent_bytes() {
	bytes=0
	while read -r e; do bytes=$((bytes + $(number "$e/length"))); done
	echo $bytes
}

# of each extent on stdin, an attribute; 'none' for a tag of zeros, and for what is empty
each_extent() {
	while read -r e; do
		case $1 in
		length) number "$e/length" ;;
		*) cat "$e/$1" 2>/dev/null | grep . | grep -vxE '[0-]+' || echo none ;;
		esac
	done | sort -u
}
`,
});
