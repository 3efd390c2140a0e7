import { z } from 'zod';
import { walkIomem } from '../../abi/index.js';
import { quote } from '../../base/sh-quote.js';
import { count, size as sizeOf, text as textOf } from '../language/scalars.js';
import { bytes, compare, existence, number, present } from './compare.js';
import { defineClause } from './definition.js';
import { check, size, text } from './shell.js';
import { exists } from './words.js';

export const iomem = defineClause({
  schema: z
    .strictObject({
      path: z
        .array(textOf)
        .min(1)
        .meta({ description: 'names from the outermost resource inwards; * for any one' }),
      exists,
      bytes: sizeOf.optional(),
      count: count.optional(),
    })
    .meta({ description: '/proc/iomem' }),
  selectors: ['path'],
  misses(clause, world) {
    const subject = `/proc/iomem: ${clause.path.join(' > ')}`;
    const selected = walkIomem(world.state.iomem).filter(
      ({ path }) =>
        path.length === clause.path.length &&
        clause.path.every((name, index) => name === '*' || name === path[index]),
    );
    if (clause.count !== undefined) {
      return present([compare('count', subject, number(clause.count), selected.length)]);
    }
    const { misses, goOn } = existence(subject, clause.exists, selected.length > 0);
    if (!goOn) return misses;
    const total = selected.reduce((sum, { resource }) => sum + resource.end - resource.start + 1, 0);
    return present([compare('bytes', subject, bytes(clause.bytes), total)]);
  },
  checks(clause) {
    const path = [clause['path']].flat().map(text);
    const command = (what: string): string => `iomem ${what} ${path.map(quote).join(' ')}`;
    const what = `/proc/iomem ${path.join(' > ')}`;
    if (clause['count'] !== undefined)
      return [check(`number of ${what}`, text(clause['count']), command('found'))];
    if (clause['bytes'] !== undefined)
      return [check(`bytes of ${what}`, size(clause['bytes']), command('total'))];
    const want = clause['exists'] === false ? '0' : 'present';
    return [check(what, want, `${command('found')} | sed 's/^[1-9].*/present/'`)];
  },
  functions: `
# iomem found|total NAME...: how many resources in /proc/iomem have a path of names, outermost first, or their bytes
iomem() {
	what=$1
	shift
	printf '%s\\n' "$@" | awk -v what="$what" '
		function hex(text, i, n) { n = 0; for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1; return n }
		NR == FNR { want[++depth] = $0; next }
		{
			match($0, /^ */); level = RLENGTH / 2 + 1
			split($1, range, "-"); name[level] = $0; sub(/^ *[^ ]+ : /, "", name[level])
			if (level != depth) next
			for (i = 1; i <= depth; i++) if (want[i] != "*" && want[i] != name[i]) next
			found++; total += hex(range[2]) - hex(range[1]) + 1
		}
		END { if (what == "total" && !found) print "absent"; else printf "%.0f\\n", what == "total" ? total : found + 0 }' - /proc/iomem
}
`,
});
