import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { quote } from '../../base/sh-quote.js';
import { RigError } from '../../base/errors.js';
import { within } from '../deadline.js';
import { GuestTimeout, type ExecResult, type GuestShell } from '../guest.js';

/** A running `sh` that reads its script from `stdin`. */
export interface ShellProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** when it has ended and all its output has been read; rejects when it is not known how it ended */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** leaves it alone with whatever hangs in it */
  abandon(): void;
}

export interface TypedShell {
  readonly type: GuestShell['type'];
  /** the next line is typed into a new shell; those before it are left alone with whatever hangs in them */
  renew(): void;
}

/**
 * How long a shell that did not answer in time is left with what it hangs in, if nobody renews the shell before: whoever
 * asks the guest what its programs wait for must still find it there (DUMP_MS in harness/scenario/steps).
 */
const STUCK_MS = 20_000;

/**
 * One long-lived shell that lines are typed into, one after the other. Its variables and its working folder stay from
 * line to line. A line that ends the shell (`exit`, `exec`) has the shell's exit status; the next one gets a new shell.
 */
export function typedShell(open: () => Promise<ShellProcess>): TypedShell {
  let current: Promise<Session> | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  const stuck = new Set<Promise<Session>>();

  const start = (): Promise<Session> => {
    const opening = open().then((shell) => {
      const forget = (): void => {
        stuck.delete(opening);
        if (current === opening) current = undefined;
      };
      shell.ended.then(forget, forget);
      return startSession(shell);
    });
    return opening;
  };

  const typeNow = async (line: string, timeoutMs: number): Promise<ExecResult> => {
    const started = performance.now();
    try {
      const answer = (current ??= start()).then((session) => session.run(line));
      const result = await within(answer, timeoutMs, () => new GuestTimeout(line, timeoutMs));
      return { ...result, milliseconds: performance.now() - started };
    } catch (error) {
      if (error instanceof GuestTimeout) setAside();
      else renew();
      throw error;
    }
  };

  const abandon = (opening: Promise<Session>): void => {
    stuck.delete(opening);
    opening.then(
      (session) => session.abandon(),
      () => undefined,
    );
  };

  const setAside = (): void => {
    const hanging = current;
    if (!hanging) return;
    current = undefined;
    stuck.add(hanging);
    setTimeout(() => stuck.has(hanging) && abandon(hanging), STUCK_MS).unref();
  };

  const renew = (): void => {
    for (const opening of [...stuck, ...(current ? [current] : [])]) abandon(opening);
    current = undefined;
  };

  return {
    type: (line, { timeoutMs }) => {
      const answer = queue.then(() => typeNow(line, timeoutMs));
      queue = answer.catch(() => undefined);
      return answer;
    },
    renew,
  };
}

type Answer = Omit<ExecResult, 'milliseconds'>;

interface Session {
  run(line: string): Promise<Answer>;
  abandon(): void;
}

function startSession(shell: ShellProcess): Session {
  const stdout = markedStream(shell.stdout);
  const stderr = markedStream(shell.stderr);

  const answered = async (line: string): Promise<Answer> => {
    const marker = randomBytes(12).toString('hex');
    const outputs = Promise.all([stdout.until(marker), stderr.until(marker)]);
    shell.stdin.write(framed(line, marker));
    const [out, err] = await outputs;
    return { stdout: out.before, stderr: err.before, code: Number(out.status), signal: null };
  };

  const endedInstead = async (): Promise<Answer> => {
    const { code, signal } = await shell.ended;
    return { stdout: stdout.rest(), stderr: stderr.rest(), code, signal };
  };

  return {
    run: (line) => Promise.race([answered(line), endedInstead()]),
    abandon: () => shell.abandon(),
  };
}

/**
 * What is written to the shell: the line as the single quoted word of an `eval`, so that nothing in it, unbalanced
 * quotes included, can swallow what follows; then the end marker with the exit status, on both streams.
 * `command` keeps a syntax error from ending the shell; the marker is written in halves, so that `set -x` and `set -v`,
 * which print these very lines, do not print it.
 */
function framed(line: string, marker: string): string {
  const [head, tail] = [marker.slice(0, 12), marker.slice(12)];
  return (
    `command eval ${quote(line)} </dev/null\n` +
    `printf '%s%s %s\\n' ${head} ${tail} "$?"; printf '%s%s 0\\n' ${head} ${tail} >&2\n`
  );
}

/** No answer that somebody reads is as long as this, and the host's memory has an end. */
export const MOST_OUTPUT = 16 * 2 ** 20;
export const TELL_LESS = 'have it print less, or into a file of the guest';

interface MarkedStream {
  /** resolves with what came before the marker and the word after it; takes both off the stream */
  until(marker: string): Promise<{ readonly before: Buffer; readonly status: string }>;
  /** takes off all that has come */
  rest(): Buffer;
}

function markedStream(stream: Readable): MarkedStream {
  let buffer: Buffer = Buffer.alloc(0);
  let look: () => void = () => undefined;
  let refuse: (error: Error) => void = () => undefined;
  stream.on('data', (chunk: Buffer) => {
    if (buffer.length + chunk.length > MOST_OUTPUT) {
      buffer = Buffer.alloc(0);
      refuse(new RigError('ssh', `more than ${MOST_OUTPUT / 2 ** 20} MiB came from a line`, TELL_LESS));
      return;
    }
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    look();
  });

  return {
    until: (marker) =>
      new Promise((resolve, reject) => {
        refuse = reject;
        let searched = 0;
        look = () => {
          const at = buffer.indexOf(marker, searched);
          const end = at < 0 ? -1 : buffer.indexOf('\n', at);
          if (end < 0) {
            searched = Math.max(0, buffer.length - marker.length - 8);
            return;
          }
          const before = buffer.subarray(0, at);
          const status = buffer.toString('latin1', at + marker.length + 1, end);
          buffer = buffer.subarray(end + 1);
          look = () => undefined;
          resolve({ before, status });
        };
        look();
      }),
    rest: () => {
      const all = buffer;
      buffer = Buffer.alloc(0);
      return all;
    },
  };
}
