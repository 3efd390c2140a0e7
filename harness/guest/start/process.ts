import { createWriteStream, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { RigError } from '../../base/errors.js';

/** A started QEMU. */
export interface QemuProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** how it ended, in words: `exit code 1`, `signal SIGKILL`; never rejects */
  readonly ended: Promise<string>;
  /** SIGKILL: the guest's memory is worth nothing any more */
  kill(): void;
}

/**
 * Starts QEMU in a session of its own, so that Ctrl-C reaches the harness alone, and under `setpriv --pdeathsig`, so
 * that the kernel kills it when the harness is killed, be it by SIGKILL. setpriv becomes QEMU: the pid is QEMU's.
 * @param log file that QEMU's standard error goes to, directly
 */
export function startQemu(binary: string, args: readonly string[], cwd: string, log: string): QemuProcess {
  // With its descriptor at hand QEMU gets the file itself, not a pipe that we would have to copy from.
  const stderr = createWriteStream(log, { fd: openSync(log, 'w') });
  const subprocess = execa('setpriv', ['--pdeathsig', 'KILL', '--', binary, ...args], {
    cwd,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr,
    buffer: false,
    detached: true,
    cleanup: false,
    reject: false,
  });
  stderr.destroy();
  const { pid, stdin, stdout } = subprocess;
  if (pid === undefined) {
    throw new RigError(
      'host',
      'QEMU was not started: setpriv, which makes it end with its parent, does not run',
      'install util-linux',
    );
  }
  // A QEMU that ends while something is written to it is reported by `ended`, not by the pipe.
  stdin.on('error', () => undefined);
  return {
    pid,
    stdin,
    stdout,
    ended: subprocess.then(({ exitCode, signal }) =>
      signal === undefined ? `exit code ${exitCode ?? 'unknown'}` : `signal ${signal}`,
    ),
    kill: () => void subprocess.kill('SIGKILL'),
  };
}
