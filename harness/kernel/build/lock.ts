import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { RigError } from '../../base/errors.js';
import { missingTool } from '../tool.js';

const WAIT_SECONDS = 4 * 60 * 60;
/** Longer than this, and whoever watches is told that somebody else is at work. */
const SILENT_WAIT_MS = 300;

/**
 * Does `work` while no other process does its own under the same lock file.
 *
 * The kernel keeps the lock (flock(2)), in a child that lives as long as its standard input is open: however we
 * die, it is free in the same moment, and there is no stale lock to wait for or to guess about.
 *
 * @param waiting called when another process has the lock
 * @throws RigError('host') when it is not to be had within four hours
 */
export async function exclusively<T>(file: string, waiting: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const holder = execa(
    'flock',
    ['--exclusive', '--timeout', `${WAIT_SECONDS}`, file, 'sh', '-c', 'echo held; exec cat'],
    { reject: false, stdin: 'pipe', stdout: 'pipe' },
  );
  const patience = setTimeout(waiting, SILENT_WAIT_MS);
  const held = new Promise<boolean>((resolve) => {
    holder.stdout.once('data', () => resolve(true));
    void holder.then(() => resolve(false));
  });
  try {
    if (!(await held)) {
      const { code } = await holder;
      if (code === 'ENOENT') throw missingTool('flock', 'keep two builds apart');
      throw new RigError('host', `the lock ${file} was not to be had`, 'see which other cxlrig is at work');
    }
    clearTimeout(patience);
    return await work();
  } finally {
    clearTimeout(patience);
    holder.stdin.end();
    await holder;
  }
}

/** flock(1): the exit code for a lock that was not to be had in time; others say that the file can't be opened. */
const TIMED_OUT = 1;

const held = new Map<string, Promise<void>>();

/**
 * Says that this process uses what `file` guards, for as long as it lives: whoever wants to remove that, `exclusively`,
 * waits for it. It is only ever waited for here while somebody removes things, which is short.
 */
export async function useUntilExit(file: string): Promise<void> {
  const before = held.get(file);
  if (before) return before;
  const holding = shareUntilExit(file);
  held.set(file, holding);
  return holding;
}

async function shareUntilExit(file: string): Promise<void> {
  // a cache that can't be written can still be read, and nobody removes anything from it
  const made = await mkdir(dirname(file), { recursive: true }).then(
    () => true,
    () => false,
  );
  if (!made) return;
  const holder = spawn(
    'flock',
    ['--shared', '--timeout', '600', file, 'sh', '-c', 'echo held; exec cat >&2'],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const answer = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')]).catch(
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missingTool('flock', 'share the cache');
      throw error;
    },
  );
  if (answer[0] === TIMED_OUT)
    throw new RigError('host', `the lock ${file} was not to be had`, 'see which other cxlrig is at work');
  // it ends when we do, and must not be what keeps us
  holder.unref();
  for (const pipe of [holder.stdin, holder.stdout]) if (pipe instanceof Socket) pipe.unref();
}

/**
 * How to start a program whose children may outlive us for a while (make, when we are killed): it and all of them
 * hold a shared lock on `file`, which `untilGone` waits for.
 */
export function underLock(file: string, program: string, args: readonly string[]): [string, string[]] {
  // without a process between: a signal that is sent to it must reach the program
  return ['flock', ['--shared', '--no-fork', file, program, ...args]];
}

/** Waits until nothing that was started `underLock` on this file runs any more. */
export async function untilGone(file: string): Promise<void> {
  const { failed } = await execa('flock', ['--exclusive', '--timeout', '600', file, 'true'], {
    reject: false,
  });
  if (failed)
    throw new RigError(
      'kernel',
      'a build that was interrupted does not end: its processes still run after ten minutes',
      `see them with: fuser -v ${file}`,
    );
}
