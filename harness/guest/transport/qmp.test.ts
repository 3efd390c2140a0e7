import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { RigError } from '../../base/errors.js';
import { GuestTimeout, QmpError } from '../guest.js';
import { connectQmp, type Qmp, type QmpEvent } from './qmp.js';

/** As QEMU 10.0.2 sends them. */
const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 2, "minor": 0, "major": 10}, "package": "Debian 1:10.0.2+ds-2"}, "capabilities": ["oob"]}}\r\n';
const RESET =
  '{"timestamp": {"seconds": 1795372817, "microseconds": 9246}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n';

interface FarEnd {
  readonly qmp: Qmp;
  readonly events: QmpEvent[];
  /** the next command that was sent */
  readonly command: () => Promise<{ readonly execute: string; readonly id: number }>;
  readonly send: (text: string) => void;
  readonly end: () => void;
}

async function connected(): Promise<FarEnd> {
  const toQemu = new PassThrough();
  const fromQemu = new PassThrough();
  const events: QmpEvent[] = [];
  const command: FarEnd['command'] = () =>
    new Promise((resolve) =>
      toQemu.once('data', (line: Buffer) => {
        resolve(JSON.parse(line.toString()) as { execute: string; id: number });
      }),
    );
  const connecting = connectQmp(toQemu, fromQemu, (event) => events.push(event));
  const first = command();
  fromQemu.write(GREETING);
  const { id } = await first;
  fromQemu.write(`{"return": {}, "id": ${id}}\r\n`);
  return {
    qmp: await connecting,
    events,
    command,
    send: (text) => void fromQemu.write(text),
    end: () => fromQemu.end(),
  };
}

test('an answer goes to the command that it belongs to, in whatever order answers come', async () => {
  const { qmp, command, send } = await connected();
  const next = command();
  const first = qmp.execute('query-status');
  const { id } = await next;
  const second = qmp.execute('query-version');
  send(`{"return": "two", "id": ${id + 1}}\r\n{"return": "one", "id": ${id}}\r\n`);
  expect(await Promise.all([first, second])).toEqual(['one', 'two']);
});

test('a refusal has the class and the text that QEMU gives', async () => {
  const { qmp, command, send } = await connected();
  const next = command();
  const refused = qmp.execute('device_del', { id: 'nope' });
  const { id } = await next;
  send(`{"id": ${id}, "error": {"class": "DeviceNotFound", "desc": "Device 'nope' not found"}}\r\n`);
  const error: unknown = await refused.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(QmpError);
  expect(error).toMatchObject({ command: 'device_del', errorClass: 'DeviceNotFound' });
});

test('an event reaches the listener and whoever waits for it', async () => {
  const { qmp, events, send } = await connected();
  const reset = qmp.waitForEvent('RESET', { timeoutMs: 5000 });
  send(RESET);
  expect((await reset).data).toEqual({ guest: true, reason: 'guest-reset' });
  expect(events.map(({ event }) => event)).toEqual(['RESET']);
});

test('an event that does not come is a timeout', async () => {
  const { qmp } = await connected();
  await expect(qmp.waitForEvent('STOP', { timeoutMs: 20 })).rejects.toThrow(GuestTimeout);
});

test("QEMU's end ends all that waits and refuses what comes later", async () => {
  const { qmp, end } = await connected();
  const answer = qmp.execute('query-status');
  const event = qmp.waitForEvent('STOP', { timeoutMs: 5000 });
  end();
  await expect(answer).rejects.toThrow(RigError);
  await expect(event).rejects.toThrow(RigError);
  await expect(qmp.execute('quit')).rejects.toThrow('QEMU has ended');
});

test('the traffic holds commands, answers and events in order, without our ids', async () => {
  const { qmp, send } = await connected();
  const reset = qmp.waitForEvent('RESET', { timeoutMs: 5000 });
  send(RESET);
  await reset;
  expect(qmp.traffic.map(({ direction, message }) => [direction, message])).toEqual([
    ['command', { execute: 'qmp_capabilities' }],
    ['return', { return: {} }],
    ['event', expect.objectContaining({ event: 'RESET' }) as unknown],
  ]);
});
