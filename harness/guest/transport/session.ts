import { RigError } from '../../base/errors.js';
import { GuestDied, type ExecResult, type GuestShell } from '../guest.js';
import type { DeathWatch } from '../death.js';
import { execOnChannel, shellOnChannel, type SshAddress } from './ssh.js';
import { sshLink } from './ssh-link.js';
import { typedShell } from './typed-shell.js';

/** How the harness talks to the system in the guest. Every call rejects with GuestDied as soon as the guest is dead. */
export interface Session {
  readonly exec: GuestShell['exec'];
  readonly type: GuestShell['type'];
  /** at boot and after a reboot */
  connect(withinMs: number): Promise<void>;
  disconnect(): void;
  /** what the work comes to, unless the guest dies first */
  orDeath<T>(work: Promise<T>): Promise<T>;
}

/** A connection that does not come back within its deadline is a death of the guest. */
export function openSession(address: SshAddress, watch: DeathWatch): Session {
  const link = sshLink(address, (error) => {
    watch.declare({
      kind: 'ssh',
      message: `the SSH connection broke and did not come back: ${String(error)}`,
    });
  });
  const shell = typedShell(async () => shellOnChannel(await link.client()));
  const died = watch.death.then((death) => Promise.reject(new GuestDied(death)));
  died.catch(() => undefined);

  const orDeath = <T>(work: Promise<T>): Promise<T> => Promise.race([work, died]);

  /** A broken connection may be the first sign of a death: which it is shows when it comes back, or does not. */
  const answer = async (work: Promise<ExecResult>): Promise<ExecResult> => {
    try {
      return await orDeath(work);
    } catch (error) {
      if (error instanceof RigError) await orDeath(link.client().catch(() => undefined));
      throw error;
    }
  };

  return {
    connect: (withinMs) => orDeath(link.connect(withinMs)),
    disconnect: () => {
      link.disconnect();
      shell.renew();
    },
    orDeath,
    exec: (line, options) => answer(link.client().then((client) => execOnChannel(client, line, options))),
    type: (line, options) => answer(shell.type(line, options)),
  };
}
