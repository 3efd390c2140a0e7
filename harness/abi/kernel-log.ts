import { randomBytes } from 'node:crypto';

/** A record of the kernel log, as /dev/kmsg gives it (Documentation/ABI/testing/dev-kmsg). */
export interface KernelLogRecord {
  readonly sequence: number;
  /** seconds since boot */
  readonly seconds: number;
  /** 0 emergency ... 7 debug */
  readonly level: number;
  /** 0: the kernel itself; else somebody who wrote to /dev/kmsg */
  readonly facility: number;
  /** may have several lines */
  readonly text: string;
}

/** Who writes our own lines into the kernel log, so that one sees there what was typed when. */
export const LOG_PREFIX = 'cxlrig: ';

/** facility "user", level "notice": shows on the console at its usual level, and is not taken for the kernel's */
const NOTE_PRIORITY = 13;

/** sh that writes a line of ours into the kernel log; `text` is a word of sh, quoted already. */
export function noteIntoLog(text: string): string {
  return `echo "<${NOTE_PRIORITY}>${LOG_PREFIX}"${text} > /dev/kmsg`;
}

const MARK = /^cxlrig: mark-[0-9a-f]{12}$/;

/** A mark for `newRecordsScript`, never used before. */
export function newMark(): string {
  return `mark-${randomBytes(6).toString('hex')}`;
}

/**
 * sh that prints all records of /dev/kmsg which this shell has not seen yet, up to now: a note with the given mark ends
 * them. Records of the kernel are in the ring buffer when printk() returns, so nothing that happened before is missing.
 *
 * Each read() gives one record, so grep stops exactly behind the mark and descriptor 9 stays there. A shell that has no
 * such descriptor yet, or whose place was overwritten (EPIPE), begins at the oldest record: whoever parses drops what
 * it knows by sequence number.
 */
export function newRecordsScript(mark: string): string {
  const upToMark = `grep -m1 -B9999 ${mark} <&9 2>/dev/null`;
  return `${noteIntoLog(mark)}; ${upToMark} || { exec 9</dev/kmsg; ${upToMark}; }`;
}

/** Records of /dev/kmsg's text, without marks; the lines of key=value pairs that follow a record are dropped. */
export function parseKernelLog(text: string): KernelLogRecord[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+),(\d+),(\d+),[^;]*;(.*)$/.exec(line);
    if (!match) return [];
    const [, priority, sequence, microseconds, message = ''] = match;
    if (MARK.test(message)) return [];
    return [
      {
        sequence: Number(sequence),
        seconds: Number(microseconds) / 1e6,
        level: Number(priority) & 7,
        facility: Number(priority) >> 3,
        text: unescapeRecord(message),
      },
    ];
  });
}

/** Sequence number of the newest record in /dev/kmsg's text, a mark included; undefined when there is none. */
export function newestSequence(text: string): number | undefined {
  const [, sequence] = [...text.matchAll(/^\d+,(\d+),\d+,[^;]*;/gm)].at(-1) ?? [];
  return sequence === undefined ? undefined : Number(sequence);
}

/** As dmesg prints it. */
export function formatKernelLog(records: readonly KernelLogRecord[]): string {
  return records
    .map(({ seconds, text }) => {
      const stamp = `[${seconds.toFixed(6).padStart(12)}] `;
      return text
        .split('\n')
        .map((line) => `${stamp}${line}\n`)
        .join('');
    })
    .join('');
}

function unescapeRecord(text: string): string {
  const bytes = text.replace(/\\x([0-9a-f]{2})/g, (_, code: string) =>
    String.fromCharCode(parseInt(code, 16)),
  );
  // escapes above 0x7f are the bytes of a UTF-8 text
  return /[\x80-\xff]/.test(bytes) && !/[^\0-\xff]/.test(bytes)
    ? Buffer.from(bytes, 'latin1').toString('utf8')
    : bytes;
}
