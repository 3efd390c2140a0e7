/** Events of the kernel's tracing, in /sys/kernel/tracing. */

export const tracing = '/sys/kernel/tracing';

export interface TraceEvent {
  readonly name: string;
  /** `key=value` pairs of the line */
  readonly fields: Readonly<Record<string, string>>;
  readonly line: string;
}

/** Events of /sys/kernel/tracing/trace's text. */
export function parseTrace(text: string): TraceEvent[] {
  return text.split('\n').flatMap((line) => {
    //      irq/27-aerdrv-58      [000] .....    12.345678: cxl_general_media: memdev=mem0 host=0000:0d:00.0 ...
    const match = /^\s*\S.*\[\d+\]\s+\S+\s+[\d.]+: (\w+): (.*)$/.exec(line);
    if (!match) return [];
    const [, name = '', rest = ''] = match;
    return [{ name, fields: fieldsOf(rest), line: line.trim() }];
  });
}

/** `memdev=mem0 flags='0x1' type=Invalid Address : ...`: a value reaches to the next key. */
function fieldsOf(text: string): Record<string, string> {
  const keys = [...text.matchAll(/(?:^|[\s:])([A-Za-z_]\w*)=/g)];
  return Object.fromEntries(
    keys.map((match, index) => {
      const from = match.index + match[0].length;
      const to = keys[index + 1]?.index ?? text.length;
      const value = text
        .slice(from, to)
        .replace(/[\s:,]+$/, '')
        .trim();
      return [match[1] ?? '', value.replace(/^(['"])(.*)\1$/, '$2')];
    }),
  );
}

/** Whether an event goes by a name: `cxl_poison`, or `cxl:cxl_poison` with its system. */
export function plainEventName(name: string): string {
  return name.split(':').at(-1) ?? name;
}
