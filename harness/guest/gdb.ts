import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quote } from '../base/sh-quote.js';
import type { RunningGuest } from './guest.js';
import { symbolFile } from './symbol-file.js';

/** What gdb is to do first. */
const SCRIPT = 'attach.gdb';
const SYMBOLS = 'symbols.elf';

const READ_MS = 60_000;

/**
 * Puts into a folder what gdb needs to get at the guest: a script with the connection, and the symbols of the kernel and
 * of the modules that are loaded now.
 * @returns the line to type
 */
export async function prepareGdb(guest: RunningGuest, dir: string): Promise<string> {
  const { stdout } = await guest.exec('cat /proc/kallsyms', {
    timeoutMs: READ_MS * (guest.spec.kernel.slowness ?? 1),
  });
  await writeFile(join(dir, SYMBOLS), symbolFile(stdout.toString('utf8')));
  const lines = [
    'set pagination off',
    'set confirm off',
    'set architecture i386:x86-64',
    `file ${quote(join(dir, SYMBOLS))}`,
    `target remote ${await guest.openGdbstub()}`,
  ];
  await writeFile(join(dir, SCRIPT), `${lines.join('\n')}\n`);
  return `gdb -x ${quote(join(dir, SCRIPT))}`;
}
