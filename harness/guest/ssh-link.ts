import type { Client } from 'ssh2';
import { RigError } from '../base/errors.js';
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

/** @param onLost the connection broke and did not come back */
export function sshLink(address: SshAddress, onLost: (error: unknown) => void): SshLink {
  let current: { readonly client: Promise<Client>; readonly giveUp: AbortController } | undefined;

  const connect = async (withinMs: number): Promise<void> => {
    const giveUp = new AbortController();
    const attempt = { client: connectSsh(address, { withinMs, signal: giveUp.signal }), giveUp };
    current = attempt;
    const client = await attempt.client;
    client.once('close', () => {
      if (current !== attempt) return;
      connect(RECONNECT_MS).catch((error: unknown) => {
        if (!current?.giveUp.signal.aborted) onLost(error);
      });
    });
  };

  return {
    connect,
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
