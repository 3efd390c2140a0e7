import pRetry, { AbortError } from 'p-retry';
import { Client, type ClientChannel } from 'ssh2';
import { RigError } from '../../base/errors.js';
import { within } from '../deadline.js';
import { GuestTimeout, type ExecOptions, type ExecResult } from '../guest.js';
import { MOST_OUTPUT, TELL_LESS, type ShellProcess } from './typed-shell.js';

/** Where a guest's SSH server is, and the only keys by which each side knows the other. */
export interface SshAddress {
  readonly port: number;
  /** the client's private key in OpenSSH's format */
  readonly privateKey: string;
  /** the host's public key as SSH sends it; any other is refused */
  readonly hostKey: Buffer;
}

/** One attempt: a guest under TCG on a busy host takes seconds for the key exchange. */
const HANDSHAKE_MS = 15_000;

/**
 * Connects, trying again until the signal aborts or the time is over.
 * @throws RigError (ssh) with the last refusal
 */
export async function connectSsh(
  address: SshAddress,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<Client> {
  try {
    return await pRetry(() => connectOnce(address, signal), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 50,
      maxTimeout: 1_000,
      factor: 1.5,
      maxRetryTime: withinMs,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new RigError(
      'ssh',
      `no SSH connection to the guest at 127.0.0.1:${address.port} within ${Math.round(withinMs / 1000)} s: ${String(error)}`,
      'console.log in the folder of the guest shows what its SSH server said',
      [],
      { cause: error },
    );
  }
}

/**
 * Runs a line by the guest's `sh -c` on a channel of its own.
 * @throws GuestTimeout at the deadline; the channel is closed then
 * @throws RigError (ssh) when the connection breaks before the line has ended
 */
export async function execOnChannel(
  client: Client,
  line: string,
  { stdin, timeoutMs }: ExecOptions,
): Promise<ExecResult> {
  const started = performance.now();
  const opening = openChannel(client, line);
  let stdout = (): Buffer => Buffer.alloc(0);
  let stderr = stdout;
  const run = async (): Promise<ExecResult> => {
    const { channel, ended } = await opening;
    const flooded = new Promise<never>((_, reject) => {
      const flood = (): void => {
        abandon(channel);
        reject(new RigError('ssh', `more than ${MOST_OUTPUT / 2 ** 20} MiB came from: ${line}`, TELL_LESS));
      };
      stdout = collect(channel, flood);
      stderr = collect(channel.stderr, flood);
    });
    channel.end(stdin);
    const { code, signal } = await Promise.race([ended, flooded]);
    return { stdout: stdout(), stderr: stderr(), code, signal, milliseconds: performance.now() - started };
  };
  return within(run(), timeoutMs, () => {
    opening.then(
      ({ channel }) => abandon(channel),
      () => undefined,
    );
    return new GuestTimeout(line, timeoutMs);
  });
}

/** Starts a `sh` that reads its script from standard input. */
export async function shellOnChannel(client: Client): Promise<ShellProcess> {
  const { channel, ended } = await openChannel(client, 'exec sh');
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    ended,
    abandon: () => abandon(channel),
  };
}

function connectOnce(address: SshAddress, signal: AbortSignal): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    let isStranger = false;
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', abort);
      client.destroy();
      reject(isStranger ? new AbortError('its host key is not the one made for this guest') : error);
    };
    const abort = (): void => fail(signal.reason as Error);
    const closed = (): void => fail(new Error('the guest closed the connection'));
    signal.addEventListener('abort', abort, { once: true });
    client
      .on('error', fail)
      .on('close', closed)
      .on('ready', () => {
        signal.removeEventListener('abort', abort);
        client.off('close', closed).off('error', fail);
        client.on('error', () => undefined); // `close` follows, and is listened to
        client.setNoDelay(true);
        resolve(client);
      })
      .connect({
        host: '127.0.0.1',
        port: address.port,
        username: 'root',
        privateKey: address.privateKey,
        // at once: to ask for leave without a key first costs a round trip, 50 ms of a guest under TCG
        authHandler: ['publickey'],
        hostVerifier: (key: Buffer) => {
          isStranger = !key.equals(address.hostKey);
          return !isStranger;
        },
        algorithms: { serverHostKey: ['ssh-ed25519'], compress: ['none'] },
        readyTimeout: HANDSHAKE_MS,
      });
  });
}

interface RunningLine {
  readonly channel: ClientChannel;
  readonly ended: ShellProcess['ended'];
}

/**
 * The end is listened for in ssh2's own callback: of a quick line the exit status comes with the same packet as the
 * leave to start it.
 */
function openChannel(client: Client, line: string): Promise<RunningLine> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void =>
      reject(new RigError('ssh', `the guest did not take a command (${error.message}): ${line}`));
    try {
      client.exec(line, (error, channel) => {
        if (error) refuse(error);
        else resolve({ channel, ended: endOf(channel, line) });
      });
    } catch (error) {
      refuse(error as Error); // ssh2 throws at once when the connection is closed
    }
  });
}

function endOf(channel: ClientChannel, line: string): ShellProcess['ended'] {
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    let status: { code: number | null; signal: string | null } | undefined;
    channel
      .on('exit', (code: number | null, signal?: string) => {
        status = { code, signal: signal ?? null };
      })
      .on('error', () => undefined) // a write to a command that has ended; `close` follows
      .on('close', () => {
        if (status) resolve(status);
        else reject(new RigError('ssh', `the connection to the guest broke before this had ended: ${line}`));
      });
  });
  ended.catch(() => undefined); // a line that was given up is awaited by nobody
  return ended;
}

/** @param flood is called when it is too much; what came until then is dropped */
function collect(stream: NodeJS.ReadableStream, flood: () => void): () => Buffer {
  let chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MOST_OUTPUT) chunks.push(chunk);
    else if (bytes - chunk.length <= MOST_OUTPUT) {
      chunks = [];
      flood();
    }
  });
  return () => Buffer.concat(chunks);
}

/**
 * Closes the channel. A shell that is typed into is killed, so that it does not go on with its line when what hangs in
 * it is done; ssh2 sends no signal where standard input has ended, so what `exec` started goes on.
 */
function abandon(channel: ClientChannel): void {
  channel.on('error', () => undefined);
  channel.signal('KILL');
  channel.close();
}
