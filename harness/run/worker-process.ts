import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FromWorker, ToWorker } from './channel.js';

/** A process that cases run in. */
export interface WorkerProcess {
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** how it ended, in words; never rejects */
  readonly ended: Promise<string>;
  /** ends it and its guest, whatever they are at; when it does not end by itself it is killed */
  end(): void;
}

const program = fileURLToPath(new URL('./worker.js', import.meta.url));

/** How long a worker gets to end by itself. */
const GRACE_MS = 4_000;

/** Of what it said last on standard error, so many characters are kept to tell why it ended. */
const MOST_STDERR = 2_000;

/** What it wrote before it ended may come a little later. */
const LAST_OUTPUT_MS = 20;

/** Starts a worker; it loads its code while others prepare the run. */
export function startWorkerProcess(temporary: string): WorkerProcess {
  const child = fork(program, {
    env: { ...process.env, TMPDIR: temporary, NODE_ENV: 'test', VITEST: 'true' },
    execArgv: process.execArgv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr = `${stderr}${data.toString('utf8')}`.slice(-MOST_STDERR);
  });
  // not `close`, which never comes when it is we who close the channel
  const ended = Promise.race([
    once(child, 'error').then(([error]) => (error as Error).message),
    once(child, 'exit').then(async ([code, signal]) => {
      await sleep(LAST_OUTPUT_MS);
      const how = String(signal ?? `exit code ${String(code)}`);
      return stderr.trim() === '' ? how : `${how}: ${stderr.trim()}`;
    }),
  ]);
  let timer: NodeJS.Timeout | undefined;
  void ended.then(() => clearTimeout(timer));
  // it may end while something is sent; that it did is told by `ended`
  child.on('error', () => undefined);
  return {
    send: (message) => {
      if (child.connected) child.send(message, () => undefined);
    },
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromWorker)),
    ended,
    end: () => {
      if (child.connected) child.disconnect();
      timer ??= setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    },
  };
}
