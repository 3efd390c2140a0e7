/**
 * What a case can leave in a guest and no snapshot of the state shows. A guest in which something of it is left is no
 * guest for another case, which would fail, or pass, for what ran before.
 */

/** Files that a case may write which other cases read: below these folders the image has little. */
const FOLDERS = '/tmp /run /etc /root /var /mnt /home /opt /srv';

/** Switches of the kernel around memory, and of its buses. The kernel changes none of them by itself. */
const SWITCHES = [
  '/sys/module/*/parameters/*',
  '/sys/bus/*/drivers_autoprobe',
  '/sys/kernel/mm/numa/*',
  '/sys/kernel/mm/transparent_hugepage/*',
  '/sys/kernel/mm/hugepages/*/nr_hugepages',
  '/sys/kernel/mm/ksm/run',
  '/sys/kernel/tracing/set_event',
  '/proc/sys/vm/overcommit_*',
  '/proc/sys/vm/zone_reclaim_mode',
  '/proc/sys/vm/memory_failure_*',
  '/proc/sys/vm/nr_hugepages',
  '/proc/sys/kernel/numa_balancing',
  '/proc/sys/kernel/panic*',
  '/proc/sys/kernel/hung_task_*',
  '/proc/swaps',
  '/proc/mounts',
];

/** sh that prints such switches, files and running programs, each on a line of its own. */
export function unseenScript(): string {
  return [
    '{',
    `grep -sH '' ${SWITCHES.join(' ')}`,
    `find ${FOLDERS} -xdev ! -type d -exec stat -c '%n %s %Y' {} +`,
    // kernel threads run no file
    `readlink /proc/[0-9]*/exe | sort | uniq -c`,
    '} 2>/dev/null',
  ].join('\n');
}

/** What differs between two of its outputs, apart from modules that came: those are no trace, see `leftoversOf`. */
export function unseenDifference(before: string, after: string): string | undefined {
  const [was, is] = [before, after].map((text) => new Set(text.split('\n').filter(Boolean))) as [
    Set<string>,
    Set<string>,
  ];
  const modules = new Set([...was].flatMap((line) => moduleOf(line) ?? []));
  const came = [...is].find((line) => !was.has(line) && isOld(line, modules));
  return (
    came ??
    [...was].find(
      (line) => !is.has(line) && isOld(line, new Set([...is].flatMap((one) => moduleOf(one) ?? []))),
    )
  );
}

function isOld(line: string, modules: ReadonlySet<string>): boolean {
  const module = moduleOf(line);
  return module === undefined || modules.has(module);
}

function moduleOf(line: string): string | undefined {
  return /^\/sys\/module\/([^/]+)\//.exec(line)?.[1];
}

/** Deeds whose traces cannot be read anywhere, by what was typed. */
const DEEDS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\bnew_id\b/, 'a driver was given an id'],
  [/\bdaxctl\s+(?!list\b)/, 'daxctl gives drivers ids'],
  [/\bndctl\s+(?!list\b)/, 'ndctl writes labels'],
  [/\bcxl\s+(?:\w+-labels|set-partition|update-firmware|set-alert-config)\b/, 'cxl changed a device'],
  [/\b(?:modprobe|insmod)\s+(?:-\S+\s+)*[\w./-]+\s+\w+=/, 'a module has parameters'],
  [/\/sys\/kernel\/debug\//, 'debugfs was used'],
];

/** QMP commands that only look, or whose effect the state shows. */
const LOOKING = /"execute":"(?:query-[\w-]+|qom-[\w-]+|stop|cont)"/;

/** What of the lines left a trace that nobody can see, in words; undefined: nothing. */
export function unseenDeed(
  lines: readonly { readonly text: string; readonly channel: 'sh' | 'qmp' }[],
): string | undefined {
  for (const { text, channel } of lines) {
    if (channel === 'qmp' && !LOOKING.test(text)) return 'QEMU was told to change the machine';
    const deed = channel === 'sh' ? DEEDS.find(([pattern]) => pattern.test(text)) : undefined;
    if (deed) return deed[1];
  }
  return undefined;
}
