/** A line of a console log. */
export interface ConsoleLine {
  /** as it came, without the line end */
  readonly raw: string;
  /** what was said: without printk's level, time and caller */
  readonly text: string;
  /** printk put its time before it: nobody else on the console does */
  readonly timed: boolean;
  /** offset of the line in the log */
  readonly offset: number;
}

/** `<4>`, `[   12.345678]`, `[T123]` or `[   C0]`: level, time and caller, in the order of printk. */
const PREFIX = /^(?:<\d+>)?(?:(\[ *\d+\.\d{6}\]) ?)?(?:\[ *[TC]\d+\] ?)?/;

/** The lines of a console log; serial lines end in \r\n, and a bare \r begins a line anew. */
export function consoleLines(log: string): ConsoleLine[] {
  const lines: ConsoleLine[] = [];
  let offset = 0;
  for (const raw of log.split('\n')) {
    const shown = raw.replace(/\r+$/, '');
    const visible = shown.slice(shown.lastIndexOf('\r') + 1);
    const [prefix, time] = PREFIX.exec(visible) ?? [''];
    lines.push({ raw: shown, text: visible.slice(prefix.length), timed: time !== undefined, offset });
    offset += raw.length + 1;
  }
  return lines;
}
