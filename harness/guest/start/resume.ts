import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { RigError } from '../../base/errors.js';
import { orAbort } from '../../base/or-abort.js';
import type { BootOptions } from './boot.js';
import { CONSOLE_SOCKET, resumedArguments } from './command-line.js';
import { openToKernelLog } from './come-up.js';
import { lastLines } from '../transport/console.js';
import { within } from '../deadline.js';
import { INIT_READY } from './diagnosis.js';
import { fillGuestDir, removeInitrd, removeSecrets, type GuestKeys } from './guest-dir.js';
import { GuestTimeout, type GuestSpec, type RunningGuest } from '../guest.js';
import { startMachine, type Machine } from './machine.js';
import { unlessStalled } from './progress.js';
import type { Qmp } from '../transport/qmp.js';
import type { QemuVersion } from './qemu-version.js';
import { runningGuest } from '../running-guest.js';
import { openSession } from '../transport/session.js';
import { migrated, migrationFile, TEMPLATE_CAPABILITIES, type Template } from './template.js';

/** Half a second to three of them, and a multiple of it on a host whose cores have several guests each. */
const RESUME_MS = 30_000;

/**
 * A guest that goes on from the template, with keys, clock and entropy of its own, and finds its CXL devices.
 * @throws RigError, GuestDied, Stalled when it does not come to an answer over SSH
 */
export async function resumeGuest(
  spec: GuestSpec,
  template: Template,
  qemu: QemuVersion,
  { signal, onPhase }: BootOptions = {},
): Promise<RunningGuest> {
  signal?.throwIfAborted();
  const keys = await fillGuestDir(spec, qemu.binary, template.console);
  let machine: Machine | undefined;
  try {
    const started = performance.now();
    machine = await startMachine(spec, qemu, resumedArguments(spec, template.dir));
    onPhase?.('qemu');
    const guest = resumeOn(machine, spec, keys, template, started, onPhase);
    return await orAbort(guest, signal);
  } catch (error) {
    await machine?.end();
    await removeSecrets(spec.dir);
    throw error;
  }
}

async function resumeOn(
  machine: Machine,
  spec: GuestSpec,
  keys: GuestKeys,
  template: Template,
  started: number,
  onPhase: BootOptions['onPhase'],
): Promise<RunningGuest> {
  const { console, qmp } = machine;
  const withinMs = RESUME_MS * (spec.kernel.slowness ?? 1);
  const end = started + withinMs;
  const left = (): number => Math.max(1, end - performance.now());
  const mark = console.length;
  await load(qmp, template);
  await qmp.execute('cont');
  await typeOnConsole(machine.pid, ownLine(keys));
  onPhase?.('init');

  await keys.writeKnownHosts(machine.sshPort);
  const session = openSession({ port: machine.sshPort, ...keys }, machine.watch);
  void machine.ended.then(() => session.disconnect());
  try {
    const ready = console.waitFor(INIT_READY, { mark, timeoutMs: left() });
    await unlessStalled(machine, spec.kernel.slowness, ready);
    onPhase?.('ready');
    await session.connect(left());
    await openToKernelLog(session, left());
  } catch (error) {
    if (!(error instanceof GuestTimeout)) throw error;
    throw new RigError(
      'boot',
      `the guest did not go on within ${withinMs / 1000} s`,
      undefined,
      lastLines(console.since(mark)),
    );
  }
  onPhase?.('connected');
  await removeInitrd(spec.dir);
  return runningGuest(spec, machine, session, keys, { how: 'resumed' }, performance.now() - started);
}

/** @throws RigError (qemu): the template does not do, in any guest */
async function load(qmp: Qmp, { state }: Template): Promise<void> {
  try {
    await qmp.execute('migrate-set-capabilities', TEMPLATE_CAPABILITIES);
    await qmp.execute('migrate-incoming', migrationFile(state));
    await migrated(qmp, 'load the template');
  } catch (error) {
    throw new RigError(
      'qemu',
      `QEMU could not load the template: ${(error as Error).message}`,
      undefined,
      [],
      {
        cause: error,
      },
    );
  }
}

/** What images/resume reads: time, seed, host key as `printf` takes it, and who may come in. */
function ownLine({ forGuest }: GuestKeys): string {
  const octal = [...forGuest.hostKey].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  // busybox's date takes whole seconds
  const now = Math.round(Date.now() / 1000);
  return `${now} ${randomBytes(32).toString('hex')} ${octal} ${forGuest.clientKey}\n`;
}

const TYPE_MS = 10_000;

/**
 * Types on the guest's console. The socket lies in QEMU's working folder; by that folder's name in /proc its path is
 * short enough for a socket, however long the guest's own is.
 */
async function typeOnConsole(pid: number, text: string): Promise<void> {
  const socket = connect(`/proc/${pid}/cwd/${CONSOLE_SOCKET}`);
  socket.resume(); // QEMU would wait for a reader that does not read
  const typed = once(socket, 'connect').then(async () => {
    await new Promise<void>((resolve, reject) => {
      socket.write(text, (error) => (error ? reject(error) : resolve()));
    });
  });
  try {
    await within(
      typed,
      TYPE_MS,
      () => new RigError('qemu', 'QEMU does not take what is typed on the console'),
    );
  } finally {
    socket.end();
  }
}
