import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Bench } from './bench.js';

/** A module that has the clock jump every 0.3 s, once it is imported. */
export async function jumpingClock({ dir }: Bench): Promise<string> {
  const file = join(dir, 'clock.mjs');
  const program = `
const Steady = Date;
let jump = 0;
globalThis.Date = class Date extends Steady {
  constructor(...of) { if (of.length === 0) super(Date.now()); else super(...of); }
  static now() { return Steady.now() + jump; }
};
setInterval(() => { jump = jump > 0 ? -2 * 3600_000 : 3 * 3600_000; }, 300).unref();
`;
  await writeFile(file, program);
  return file;
}

/** A mirror that takes connections and says nothing. */
export async function silentMirror(): Promise<{ readonly url: string; readonly asked: Promise<void> }> {
  const server = createServer();
  const sockets = new Set<Socket>();
  const asked = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`, asked };
}

/** A proxy that has the same for whatever is asked for. */
export async function corruptingProxy(): Promise<string> {
  const server = createHttpServer((_, answer) => answer.end('not what the index promises'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Nothing listens there. */
export const NO_NETWORK = { http_proxy: 'http://127.0.0.1:9/', https_proxy: 'http://127.0.0.1:9/' };
