import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { RigError } from '../../base/errors.js';
import { within } from '../deadline.js';
import { GuestTimeout, QmpError, type QmpTraffic } from '../guest.js';

/** An event of QEMU, as QMP sends it. */
export interface QmpEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A QMP connection that has been greeted. */
export interface Qmp {
  /**
   * @throws QmpError when QEMU answers with an error
   * @throws RigError (qmp) when the connection ends or no answer comes in time
   */
  execute(command: string, args?: Record<string, unknown>): Promise<unknown>;
  readonly traffic: readonly QmpTraffic[];
  waitForEvent(name: string, options: { readonly timeoutMs: number }): Promise<QmpEvent>;
}

interface Message extends Partial<QmpEvent> {
  readonly QMP?: unknown;
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface Waiting {
  readonly name: string;
  readonly resolve: (event: QmpEvent) => void;
  readonly reject: (error: Error) => void;
}

/** QEMU answers in milliseconds; when its main loop hangs for so long, it will not come back. */
const ANSWER_MS = 60_000;

/**
 * Speaks QMP over a pair of streams: waits for the greeting and leaves capabilities negotiation behind.
 * The promise stays open when QEMU ends before it greets: race it with QEMU's end.
 * @param onEvent gets every event, from the first
 * @param onEnd the connection has ended: what QEMU says can't be heard any more
 */
export async function connectQmp(
  input: Writable,
  output: Readable,
  onEvent: (event: QmpEvent) => void,
  onEnd: () => void = () => undefined,
): Promise<Qmp> {
  const traffic: QmpTraffic[] = [];
  const pending = new Map<number, Pending>();
  const waiting = new Set<Waiting>();
  let ended = false;
  let lastId = 0;

  const note = (direction: QmpTraffic['direction'], message: unknown): void => {
    traffic.push({ at: Date.now(), direction, message });
  };

  const settle = (id: number | undefined): Pending | undefined => {
    const entry = id === undefined ? undefined : pending.get(id);
    if (id !== undefined) pending.delete(id);
    clearTimeout(entry?.timer);
    return entry;
  };

  const fail = (id: number, why: string): void => {
    const entry = settle(id);
    entry?.reject(new RigError('qmp', `QMP ${entry.command}: ${why}`));
  };

  const execute: Qmp['execute'] = (command, args) =>
    new Promise((resolve, reject) => {
      const id = (lastId += 1);
      const timer = setTimeout(() => fail(id, `QEMU did not answer within ${ANSWER_MS / 1000} s`), ANSWER_MS);
      pending.set(id, { command, resolve, reject, timer });
      if (ended) {
        fail(id, 'QEMU has ended');
        return;
      }
      const message = { execute: command, ...(args && { arguments: args }) };
      note('command', message);
      input.write(`${JSON.stringify({ ...message, id })}\n`);
    });

  const receive = ({ id, ...message }: Message): void => {
    if (message.event !== undefined) {
      note('event', message);
      const event = message as QmpEvent;
      onEvent(event);
      for (const wait of [...waiting]) if (wait.name === event.event) wait.resolve(event);
    } else if (message.error) {
      note('error', message);
      const entry = settle(id);
      entry?.reject(new QmpError(entry.command, message.error.class, message.error.desc));
    } else {
      note('return', message);
      settle(id)?.resolve(message.return);
    }
  };

  await new Promise<void>((greeted) => {
    const lines = createInterface({ input: output });
    lines.on('line', (line) => {
      const message = JSON.parse(line) as Message;
      if (message.QMP) greeted();
      else receive(message);
    });
    lines.on('close', () => {
      ended = true;
      onEnd();
      for (const id of [...pending.keys()]) fail(id, 'QEMU ended before it answered');
      for (const wait of [...waiting])
        wait.reject(new RigError('qmp', `QEMU ended before it sent ${wait.name}`));
    });
  });
  await execute('qmp_capabilities');

  return {
    execute,
    traffic,
    waitForEvent: async (name, { timeoutMs }) => {
      let wait: Waiting | undefined;
      const event = new Promise<QmpEvent>((resolve, reject) => {
        waiting.add((wait = { name, resolve, reject }));
      });
      return within(event, timeoutMs, () => new GuestTimeout(`QMP event ${name}`, timeoutMs)).finally(() => {
        if (wait) waiting.delete(wait);
      });
    },
  };
}
