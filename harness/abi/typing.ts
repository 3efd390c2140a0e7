import { randomBytes } from 'node:crypto';
import { GuestTimeout, type ExecResult, type GuestShell } from '../guest/guest.js';
import { errnoOf } from './errno.js';
import { noteIntoLog } from './kernel-log.js';
import type { ShLine } from './lines.js';
import { quote } from '../base/sh-quote.js';

/** A line that has been typed, and what came of it. */
export interface TypedShLine extends ShLine {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
  /** by name, when it failed and says why */
  readonly errno?: string;
  /** milliseconds since the Unix epoch, by the host's clock */
  readonly at: number;
  /** taken in the guest */
  readonly milliseconds: number;
}

export interface TypingOptions {
  /** of all lines together */
  readonly timeoutMs: number;
  /** go on after a line that fails; else it is the last */
  readonly keepGoing?: boolean;
}

/**
 * Types lines one after the other, in one round trip, until one fails. Each is noted in the kernel log first, so that
 * the log tells which of them brought a message, and which was the last before a panic.
 * @returns the lines that were typed: fewer than given when one failed
 * @throws GuestTimeout, GuestDied
 */
export async function typeLines(
  shell: GuestShell,
  lines: readonly ShLine[],
  options: TypingOptions,
): Promise<TypedShLine[]> {
  if (lines.length === 0) return [];
  const mark = `@${randomBytes(6).toString('hex')}`;
  const at = Date.now();
  const script = batchScript(lines, mark, options.keepGoing ?? false);
  const result = await shell.type(script, { timeoutMs: options.timeoutMs }).catch((error: unknown) => {
    // of the lines that are meant, not of the script around them
    if (!(error instanceof GuestTimeout)) throw error;
    throw new GuestTimeout(lines.map(({ text }) => text).join('; '), error.timeoutMs);
  });
  return readBatch(lines, result, mark, at);
}

/** What of the lines was typed, from what the batch printed. */
export function readBatch(
  lines: readonly ShLine[],
  result: Pick<ExecResult, 'stdout' | 'stderr' | 'code'>,
  mark: string,
  at: number,
): TypedShLine[] {
  // first what came before any mark, then begin and end of each line on one stream, the begin alone on the other
  const stdout = parts(result.stdout.toString('utf8'), mark);
  const stderr = parts(result.stderr.toString('utf8'), mark);
  const shellCode = result.code ?? 1;
  let first: number | undefined;
  return lines.flatMap((line, index) => {
    const [begin, end] = stdout.slice(2 * index + 1, 2 * index + 3);
    if (begin === undefined) return [];
    const [started, printed] = cutFirstLine(begin);
    const complaint = asTyped(cutFirstLine(stderr[index + 1] ?? '')[1]);
    // without an end the line has ended the shell itself: then the shell's status is the line's
    const [code, ended, missing] = end === undefined ? [] : cutFirstLine(end)[0].split(' ');
    const status = code === undefined ? shellCode : Number(code);
    const from = Number(started);
    first ??= from;
    const errno = status === 0 ? undefined : missing === 'absent' ? 'ENOENT' : errnoOf(complaint);
    return [
      {
        ...line,
        stdout: printed,
        stderr: complaint,
        code: status,
        ...(errno === undefined ? {} : { errno }),
        at: Math.round(at + (from - first) * 1000),
        milliseconds: ended === undefined ? 0 : Math.max(0, Math.round((Number(ended) - from) * 1e6) / 1e3),
      },
    ];
  });
}

/** The complaint as a person who types the line sees it: without where in our script the line stands. */
function asTyped(complaint: string): string {
  return complaint.replace(/^(sh: )(?:eval: )?line \d+: /gm, '$1');
}

/** `EPOCHREALTIME`: busybox's ash has it; no process is started for the time. */
function batchScript(lines: readonly ShLine[], mark: string, keepGoing: boolean): string {
  const typed = lines.map(({ text, subject }) => {
    const note = quote(text.length > 400 ? `${text.slice(0, 400)}...` : text);
    return `_typed ${quote(text)} ${note} ${subject === undefined ? '' : quote(subject)}`;
  });
  return [
    `_typed() {`,
    `  ${noteIntoLog('"$2"')}`,
    `  printf '${mark} %s\\n' "$EPOCHREALTIME"; printf '${mark}\\n' >&2`,
    `  command eval "$1"`,
    `  _status=$?; _ended=$EPOCHREALTIME`,
    `  if [ $_status = 0 ] || [ -z "$3" ] || [ -e "$3" ]; then _there=; else _there=absent; fi`,
    `  printf '${mark} %s %s %s\\n' $_status "$_ended" $_there`,
    `  return $_status`,
    `}`,
    typed.join(keepGoing ? '\n' : ' &&\n'),
  ].join('\n');
}

/** What stands between the marks; the first part is what came before any. */
function parts(text: string, mark: string): string[] {
  return text.split(mark).map((part, index) => (index === 0 ? part : part.replace(/^ /, '')));
}

function cutFirstLine(text: string): [line: string, rest: string] {
  const end = text.indexOf('\n');
  return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)];
}
