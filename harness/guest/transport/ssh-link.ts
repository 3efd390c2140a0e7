import type { Client } from 'ssh2';
import { RigError } from '../../base/errors.js';
import { connectSsh, type SshAddress } from './ssh.js';

/** The one SSH connection to a guest, which comes back when it breaks. */
export interface SshLink {
  /** connects, also anew after `disconnect`: at boot and after a reboot */
  connect(withinMs: number): Promise<void>;
  /** the connection; while it is being made again, waits for it */
  client(): Promise<Client>;
  disconnect(): void;
}

/** How long a running guest may stay away: a connection is broken by nothing less than a dead server or network. */
const RECONNECT_MS = 30_000;

interface Attempt {
  readonly client: Promise<Client>;
  readonly giveUp: AbortController;
}

/** @param onLost the connection broke and did not come back */
export function sshLink(address: SshAddress, onLost: (error: unknown) => void): SshLink {
  let current: Attempt | undefined;

  const begin = (withinMs: number): Attempt => {
    const giveUp = new AbortController();
    const attempt = { client: connectSsh(address, { withinMs, signal: giveUp.signal }), giveUp };
    current = attempt;
    attempt.client.then(
      (client) => client.once('close', () => current === attempt && reconnect()),
      () => undefined,
    );
    return attempt;
  };

  const reconnect = (): void => {
    const attempt = begin(RECONNECT_MS);
    attempt.client.catch((error: unknown) => current === attempt && onLost(error));
  };

  return {
    connect: async (withinMs) => {
      await begin(withinMs).client;
    },
    client: () =>
      current?.client ?? Promise.reject(new RigError('ssh', 'the guest is not connected any more')),
    disconnect: () => {
      const last = current;
      current = undefined;
      last?.giveUp.abort(new RigError('ssh', 'the guest was disconnected'));
      last?.client.then(
        (client) => client.destroy(),
        () => undefined,
      );
    },
  };
}
