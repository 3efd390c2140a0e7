import { parseSize } from '../../base/size.js';
import type { MachinePlan } from '../../topology/plan.js';
import { quote } from '../../abi/quote.js';

/** Begins a comment that stands in the place of a check that sh can't make. */
export const NOT_CHECKED = '# not checked here:';

/**
 * What an \`expect\` step says, as lines of shell that check it with the functions of the prelude. What has no such line
 * is told in a comment.
 */
export function expectationLines(body: unknown, machine: MachinePlan): string[] {
  if (!isRecord(body)) return [];
  const { within, 'stays-for': staysFor, ...clauses } = body;
  const seconds = Math.max(1, Math.ceil(durationSeconds(within) ?? 10));
  const checks = Object.entries(clauses).flatMap(([kind, value]) =>
    [value].flat().flatMap((clause): Check[] => {
      const translate = CLAUSES[kind];
      if (!translate || !isRecord(clause) || hasReference(clause)) return [unchecked(kind, clause)];
      return translate(clause, machine);
    }),
  );
  const stays = durationSeconds(staysFor);
  return [
    ...checks.map((check) => line(check, seconds)),
    ...(stays === undefined
      ? []
      : [`sleep ${stays}`, ...checks.filter(({ command }) => command !== '').map((check) => line(check, 0))]),
  ];
}

/** `command` prints what must be one of `want`; without a command it is a remark. */
interface Check {
  readonly what: string;
  readonly want: string;
  readonly command: string;
}

type Clause = Readonly<Record<string, unknown>>;

const CLAUSES: Readonly<Record<string, (clause: Clause, machine: MachinePlan) => Check[]>> = {
  region(clause, machine) {
    const name = text(clause['name']);
    const file = (attribute: string): string => `$D/${name}/${attribute}`;
    return [
      ...existence(clause, `$D/${name}`, name),
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
      ...when(clause, 'targets', (want) =>
        check(
          `serial numbers of the targets of ${name}`,
          [want]
            .flat()
            .map((id) => serialOf(id, machine))
            .join(' '),
          `targets_of ${name}`,
        ),
      ),
      ...when(clause, 'uuid', (want) =>
        check(`uuid of ${name}`, text(want).toLowerCase(), `cat ${file('uuid')}`),
      ),
    ];
  },
  memdev(clause, machine) {
    const serial = serialOf(clause['device'], machine);
    const what = `memdev with serial number ${serial}`;
    return [
      check(
        what,
        clause['exists'] === false ? 'no' : 'yes',
        `[ -n "$(memdev_with ${serial})" ] && echo yes || echo no`,
      ),
      ...when(clause, 'driver', (want) =>
        check(`driver of the ${what}`, text(want ?? 'none'), `driver_of cxl "$(memdev_with ${serial})"`),
      ),
    ];
  },
  decoder(clause) {
    if (clause['name'] === undefined) return [unchecked('decoder', clause)];
    const name = text(clause['name']);
    return [
      ...existence(clause, `$D/${name}`, name),
      ...['mode'].flatMap((key) =>
        when(clause, key, (want) => check(`${key} of ${name}`, text(want), `cat $D/${name}/${key}`)),
      ),
      ...['dpa_size', 'size', 'interleave_ways', 'interleave_granularity'].flatMap((key) =>
        when(clause, key, (want) => check(`${key} of ${name}`, size(want), `number $D/${name}/${key}`)),
      ),
    ];
  },
  dax(clause) {
    const { what, list } = selected(clause, 'dax devices', 'ls /sys/bus/dax/devices', 'dax_of');
    const attribute = (key: string, want: string): Check =>
      check(`${key} of ${what}`, want, `${list} | each_dax ${key}`);
    const yes = (value: unknown): string => (value === true ? 'yes' : 'no');
    return [
      ...(clause['count'] === undefined
        ? [
            check(
              what,
              clause['exists'] === false ? 'none' : 'some',
              `[ -n "$(${list})" ] && echo some || echo none`,
            ),
          ]
        : [check(`number of ${what}`, text(clause['count']), `${list} | wc -l`)]),
      ...when(clause, 'driver', (want) => attribute('driver', text(want ?? 'none'))),
      ...when(clause, 'size', (want) => attribute('size', size(want))),
      ...when(clause, 'align', (want) => attribute('align', size(want))),
      ...when(clause, 'target_node', (want) => attribute('target_node', text(want))),
      ...when(clause, 'state', (want) => attribute('state', text(want ?? 'absent'))),
      ...when(clause, 'hotplug', (want) => attribute('hotplug', text(want ?? 'absent'))),
      ...when(clause, 'opens', (want) => attribute('opens', yes(want))),
    ];
  },
  memory(clause) {
    const of = clause['of'];
    const block = clause['block'];
    const node = clause['node'];
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
      ...when(clause, 'zone', (want) =>
        check(`zone of ${what}`, orNothing(clause, [want].flat().map(text).join('|')), `${list} | each_zone`),
      ),
    ];
  },
  node(clause) {
    const id = text(clause['id']);
    const yes = (value: unknown): string => (value === true ? 'yes' : 'no');
    const list = (file: string): string => `among ${id} /sys/devices/system/node/${file}`;
    return [
      ...when(clause, 'online', (want) => check(`node ${id} online`, yes(want), list('online'))),
      ...when(clause, 'memory', (want) => check(`node ${id} has memory`, yes(want), list('has_memory'))),
      ...when(clause, 'cpus', (want) => check(`node ${id} has CPUs`, yes(want), list('has_cpu'))),
      ...when(clause, 'bytes', (want) =>
        check(
          `memory of node ${id}`,
          size(want),
          `echo $(($(awk '/MemTotal/ { print $4 }' /sys/devices/system/node/node${id}/meminfo) * 1024))`,
        ),
      ),
    ];
  },
  iomem(clause) {
    const path = [clause['path']].flat().map(text);
    const command = `iomem_bytes ${path.map(quote).join(' ')}`;
    const what = `/proc/iomem ${path.join(' > ')}`;
    if (clause['count'] !== undefined) return [unchecked('iomem', clause)];
    if (clause['exists'] === false) return [check(what, 'absent', command)];
    return clause['bytes'] === undefined
      ? [check(what, 'present', `[ "$(${command})" = absent ] && echo absent || echo present`)]
      : [check(`bytes of ${what}`, size(clause['bytes']), command)];
  },
  driver(clause) {
    const device = text(clause['device']);
    return [
      check(
        `driver of ${device}`,
        text(clause['driver'] ?? 'none'),
        `driver_of ${text(clause['bus'])} ${quote(device)}`,
      ),
    ];
  },
  module(clause) {
    const name = text(clause['name']).replaceAll('-', '_');
    const want = clause['loaded'] === true ? 'yes' : 'no';
    return [check(`module ${name} loaded`, want, `grep -q '^${name} ' /proc/modules && echo yes || echo no`)];
  },
  file(clause) {
    const path = quote(text(clause['path']));
    return [
      ...existence(clause, path, text(clause['path'])),
      ...when(clause, 'equals', (want) => check(path, text(want).trim(), `cat ${path}`)),
      ...when(clause, 'matches', (want) =>
        check(path, 'matches', `grep -qE ${quote(posixPattern(text(want)))} ${path} && echo matches`),
      ),
    ];
  },
  log(clause) {
    const search = (pattern: unknown): string =>
      `dmesg | grep -qE ${quote(posixPattern(text(pattern)))} && echo yes || echo no`;
    return [
      ...when(clause, 'matches', (want) => check(`kernel log matches ${text(want)}`, 'yes', search(want))),
      ...when(clause, 'absent', (want) => check(`kernel log matches ${text(want)}`, 'no', search(want))),
    ];
  },
};

/** A regular expression of JavaScript in the words of grep -E, as far as scenarios use them. */
export function posixPattern(pattern: string): string {
  return pattern
    .replaceAll('\\d', '[0-9]')
    .replaceAll('\\w', '[[:alnum:]_]')
    .replaceAll('\\s', '[[:space:]]')
    .replaceAll('\\S', '[^[:space:]]')
    .replaceAll('(?:', '(');
}

function line({ what, want, command }: Check, seconds: number): string {
  if (command === '') return `${NOT_CHECKED} ${what.replace(/\s+/g, ' ')}`;
  return `within ${seconds} ${quote(what)} ${quote(want)} ${quote(command)}`;
}

function check(what: string, want: string, command: string): Check {
  return { what, want, command };
}

function unchecked(kind: string, clause: unknown): Check {
  return { what: `${kind} ${JSON.stringify(clause)}`, want: '', command: '' };
}

function when(clause: Clause, key: string, make: (want: unknown) => Check): Check[] {
  return clause[key] === undefined ? [] : [make(clause[key])];
}

function existence(clause: Clause, path: string, what: string): Check[] {
  return [check(`${what} is there`, clause['exists'] === false ? 'no' : 'yes', `exists ${path}`)];
}

function selected(clause: Clause, noun: string, all: string, of: string): { what: string; list: string } {
  if (clause['of'] !== undefined) {
    return { what: `${noun} of ${text(clause['of'])}`, list: `${of} ${text(clause['of'])}` };
  }
  if (clause['name'] === undefined) return { what: noun, list: all };
  const name = text(clause['name']);
  return { what: name, list: `${all} | grep -xF ${quote(name)}` };
}

/** With no blocks, which a count of 0 allows, nothing is said of each. */
function orNothing(clause: Clause, want: string): string {
  return clause['count'] === undefined ? want : `${want}|`;
}

function serialOf(id: unknown, { devices }: MachinePlan): string {
  const device = devices.find((one) => one.id === id);
  return device ? `${device.serial}` : text(id);
}

function size(value: unknown): string {
  return `${typeof value === 'string' ? (parseSize(value) ?? value) : text(value)}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function hasReference(clause: unknown): boolean {
  return JSON.stringify(clause).includes('${');
}

function durationSeconds(value: unknown): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(typeof value === 'string' ? value : '');
  if (!match) return undefined;
  return Number(match[1]) * ({ ms: 0.001, s: 1, m: 60 }[match[2] ?? ''] ?? 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
