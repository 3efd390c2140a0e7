import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './bench.js';

/** A program that passes for QEMU, whatever it does then. */
export async function qemuLike({ dir }: Bench, does: string): Promise<string> {
  const file = join(dir, 'qemu');
  const version = '[ "$1" = --version ] && [ -z "${does##exec*}" ] && exec qemu-system-x86_64 --version';
  await writeFile(file, `#!/bin/sh\ndoes='${does.replaceAll("'", '')}'\n${version}\n${does}\n`, {
    mode: 0o755,
  });
  return file;
}

/**
 * QEMU with somebody in its QMP connection, who does his evil as soon as there is a file `now` in the bench's folder
 * (with QEMU's greeting, when it is there before): hangs up, or says what QEMU says when KVM fails internally.
 */
export async function qemuBehind({ dir }: Bench, evil: 'hang up' | 'fail internally'): Promise<string> {
  const file = join(dir, 'qemu-behind');
  const program = `#!${process.execPath}
const { spawn, execFileSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { createInterface } = require('node:readline');
const args = process.argv.slice(2);
if (args[0] === '--version') {
  process.stdout.write(execFileSync('qemu-system-x86_64', args));
  process.exit();
}
const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
qemu.on('exit', (code) => process.exit(code ?? 1));
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
let failed = false;
createInterface({ input: qemu.stdout }).on('line', (line) => {
  if (failed) return;
  process.stdout.write(line + '\\n');
  failWhenTold();
});
createInterface({ input: process.stdin }).on('line', (line) => {
  const { execute, id } = JSON.parse(line);
  if (failed && execute === 'query-status') say({ return: { status: 'internal-error', running: false }, id });
  else qemu.stdin.write(line + '\\n');
});
const timer = setInterval(failWhenTold, 200);
function failWhenTold() {
  if (failed || !existsSync(${JSON.stringify(join(dir, 'now'))})) return;
  clearInterval(timer);
  failed = true;
  if (${evil === 'hang up'}) process.stdout.destroy(), require('node:fs').closeSync(1);
  else say({ event: 'STOP', timestamp: { seconds: 0, microseconds: 0 } });
}
`;
  await writeFile(`${file}.cjs`, program, { mode: 0o755 });
  return `${file}.cjs`;
}
