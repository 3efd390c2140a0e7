import { closeSync, fstatSync, openSync, readSync, statSync, watch } from 'node:fs';
import { GuestDied, GuestTimeout, type ConsoleLog, type GuestDeath } from '../guest.js';

/** The console while QEMU may still write to it. */
export interface LiveConsole extends ConsoleLog {
  /** calls whenever there is more; the returned function ends that */
  onGrowth(listener: () => void): () => void;
  /** ends all watching, and waits with an error; what was written stays readable */
  close(): void;
}

/** How often the file is looked at where the system has no inotify instance left to give. */
const POLL_MS = 50;

/**
 * Follows the file that QEMU writes the console to. The file must exist.
 * @param death ends the waits: a dead guest prints nothing more
 */
export function followConsole(file: string, death: Promise<GuestDeath>): LiveConsole {
  const listeners = new Set<() => void>();
  const waits = new Set<() => void>();
  const stopWatching = watchFile(file, () => {
    for (const listener of [...listeners]) listener();
  });
  const since = (mark: number): string => readFrom(file, mark).toString('utf8').replaceAll('\r\n', '\n');

  const onGrowth = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };

  return {
    file,
    get length() {
      return statSync(file).size;
    },
    since,
    onGrowth,
    close: () => {
      stopWatching();
      for (const end of [...waits]) end();
    },
    waitFor: (pattern, { mark = 0, timeoutMs }) =>
      new Promise((resolve, reject) => {
        let over = false;
        const stop = (): void => {
          over = true;
          waits.delete(closed);
          clearTimeout(timer);
          stopListening();
        };
        const look = (): boolean => {
          const match = new RegExp(pattern, pattern.flags.replace(/[gy]/g, '')).exec(since(mark));
          if (!over && match) {
            stop();
            resolve(match);
          }
          return over;
        };
        const closed = (): void => {
          stop();
          reject(new Error(`nobody follows the console any more: ${String(pattern)}`));
        };
        waits.add(closed);
        const stopListening = onGrowth(look);
        const timer = setTimeout(() => {
          if (look()) return;
          stop();
          reject(new GuestTimeout(`console: ${String(pattern)}`, timeoutMs));
        }, timeoutMs);
        void death.then((reason) => {
          if (over || look()) return;
          stop();
          reject(new GuestDied(reason));
        });
        look();
      }),
  };
}

/** The last lines of a console text, newest last, without empty ones. */
export function lastLines(text: string, count = 20): string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-count);
}

function watchFile(file: string, listener: () => void): () => void {
  try {
    const watcher = watch(file, { persistent: false }, listener);
    watcher.on('error', () => undefined);
    return () => watcher.close();
  } catch {
    const timer = setInterval(listener, POLL_MS).unref();
    return () => clearInterval(timer);
  }
}

function readFrom(file: string, mark: number): Buffer {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(fd).size - mark));
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(fd, bytes, length, bytes.length - length, mark + length);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}
