import { readFile } from 'node:fs/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import type { Client, ClientChannel } from 'ssh2';
import { RigError } from '../../base/errors.js';
import { quote } from '../../base/sh-quote.js';
import type { RunningGuest } from '../guest.js';
import { connectSsh } from './ssh.js';

/** The terminal that a shell in the guest is shown on. Pipes do as well: then there is no raw mode and no resizing. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode'>>;
  readonly stdout: NodeJS.WritableStream & Partial<Pick<WriteStream, 'columns' | 'rows'>>;
}

const CONNECT_MS = 60_000;

/**
 * Runs an interactive login shell in the guest on the terminal, over a connection of its own.
 * @returns the shell's exit status; 255 when the guest or the connection ended first
 */
export async function attachTerminal(
  guest: Pick<RunningGuest, 'ssh'>,
  { stdin, stdout }: Terminal = process,
): Promise<number> {
  const client = await connect(guest);
  try {
    const channel = await openShell(client, stdin.isTTY ?? false, stdout);
    const resize = (): void => {
      if (stdin.isTTY) channel.setWindow(stdout.rows ?? 24, stdout.columns ?? 80, 0, 0);
    };
    const ended = new Promise<number>((resolve) => {
      let status = 255;
      channel.on('exit', (code: number | null) => void (status = code ?? 255));
      channel.on('close', () => resolve(status));
    });
    stdout.on('resize', resize);
    if (stdin.isTTY) stdin.setRawMode?.(true);
    stdin.pipe(channel);
    channel.pipe(stdout, { end: false });
    channel.stderr.pipe(stdout, { end: false });
    try {
      return await ended;
    } finally {
      stdout.off('resize', resize);
      stdin.unpipe(channel);
      stdin.pause();
      if (stdin.isTTY) stdin.setRawMode?.(false);
    }
  } finally {
    client.end();
  }
}

/** The command that a person types on this host to get into the guest while it lives. */
export function sshCommand({ ssh }: Pick<RunningGuest, 'ssh'>): string {
  const options = [
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${ssh.knownHostsFile}`,
  ];
  const words = ['ssh', '-F', 'none', '-i', ssh.keyFile, '-p', `${ssh.port}`];
  return [...words, ...options.flatMap((option) => ['-o', option]), 'root@127.0.0.1'].map(quote).join(' ');
}

async function connect({ ssh }: Pick<RunningGuest, 'ssh'>): Promise<Client> {
  const [, , hostKey = ''] = (await readFile(ssh.knownHostsFile, 'utf8')).split(' ');
  const address = {
    port: ssh.port,
    privateKey: await readFile(ssh.keyFile, 'utf8'),
    hostKey: Buffer.from(hostKey, 'base64'),
  };
  return connectSsh(address, { withinMs: CONNECT_MS, signal: new AbortController().signal });
}

/** A script on standard input gets a shell without a terminal: at its end a terminal would hang up on what still runs. */
function openShell(client: Client, isTerminal: boolean, stdout: Terminal['stdout']): Promise<ClientChannel> {
  const pty = { term: process.env['TERM'] ?? 'vt100', rows: stdout.rows ?? 24, cols: stdout.columns ?? 80 };
  return new Promise((resolve, reject) => {
    const opened = (error: Error | undefined, channel: ClientChannel): void => {
      if (error) reject(new RigError('ssh', `the guest gave no shell: ${error.message}`));
      else resolve(channel);
    };
    if (isTerminal) client.shell(pty, opened);
    else client.exec('sh -l', opened);
  });
}
