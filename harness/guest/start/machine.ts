import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RigError } from '../../base/errors.js';
import { CONSOLE_LOG, QEMU_LOG, qemuArguments } from './command-line.js';
import { followConsole, lastLines, type LiveConsole } from '../transport/console.js';
import { CONFINED, visibleFiles } from './confinement.js';
import { within } from '../deadline.js';
import {
  type DeathWatch,
  deathByEvent,
  deathByStatus,
  knownCrash,
  panicLine,
  watchForDeath,
} from '../death.js';
import type { GuestSpec } from '../guest.js';
import { startQemu } from './process.js';
import type { QemuVersion } from './qemu-version.js';
import { connectQmp, type Qmp, type QmpEvent } from '../transport/qmp.js';

/** A running QEMU, seen from outside: its monitor, its console, and whether the guest in it is dead. */
export interface Machine {
  readonly pid: number;
  readonly console: LiveConsole;
  readonly qmp: Qmp;
  readonly watch: DeathWatch;
  /** the loopback port that leads to the guest's SSH server */
  readonly sshPort: number;
  /** resolves when QEMU has ended, for whatever reason, and its death is declared where it is one */
  readonly ended: Promise<void>;
  /** ends QEMU, the hard way if it does not quit; no death is declared */
  end(): Promise<void>;
}

/** How long QEMU may take to greet, and to quit. */
const GREETING_MS = 60_000;
const QUIT_MS = 3_000;

/**
 * How long after a panic's first line QEMU may take to notice it (by pvpanic or by the reset that panic=-1 makes),
 * while the trace is still being printed. A kernel told to stay in its panic is given up after this time.
 */
const PANIC_NOTICE_MS = 5_000;

/**
 * Starts QEMU in the guest's folder, which holds the initrd.
 * @param args QEMU's arguments, if they are not those of a guest that boots
 * @throws RigError (qemu) when it refuses its command line or ends at once
 */
export async function startMachine(
  spec: GuestSpec,
  { binary, sandbox, isConfined, version }: Omit<QemuVersion, 'major' | 'minor'>,
  args: readonly string[] = qemuArguments(spec),
): Promise<Machine> {
  const confined = isConfined ? [...CONFINED, ...visibleFiles(spec, args), '--'] : [];
  const [program = binary, ...words] = [...confined, binary, ...sandbox, ...args];
  const qemu = startQemu(program, words, spec.dir, join(spec.dir, QEMU_LOG));
  const watch = watchForDeath(() => lastLines(console.since(0)));
  const console = followConsole(join(spec.dir, CONSOLE_LOG), watch.death);
  const ended = qemu.ended.then(async (how) => {
    const why = knownCrash(how, version, spec.accelerator) ?? '';
    watch.declare({ kind: 'qemu', message: `QEMU ended (${how})${await endOfLog(spec.dir)}${why}` });
  });

  const judge = (event: QmpEvent): void => {
    const cause = deathByEvent(event, panicLine(console.since(0)));
    if (cause) watch.declare(cause);
    if (event.event === 'STOP') void judgeStop();
  };
  const judgeStop = async (): Promise<void> => {
    const answer = await qmp?.execute('query-status').catch(() => undefined);
    const cause = deathByStatus(
      String((answer as { status?: string } | undefined)?.status),
      spec.accelerator,
    );
    if (cause) watch.declare(cause);
  };

  const end = async (): Promise<void> => {
    watch.expectEnd();
    console.close();
    qmp?.execute('quit').catch(() => undefined);
    if (qmp) await within(qemu.ended, QUIT_MS, () => new Error('QEMU does not quit')).catch(() => undefined);
    qemu.kill();
    await qemu.ended;
  };

  /** A connection that ends with QEMU is no news: QEMU's own end says more. */
  const judgeSilence = (): void => {
    setTimeout(
      () => watch.declare({ kind: 'qemu', message: 'QEMU closed its QMP connection' }),
      QUIT_MS,
    ).unref();
  };

  let qmp: Qmp | undefined;
  try {
    const endedFirst = qemu.ended.then((how) => Promise.reject(new Error(how)));
    const greeting = Promise.race([connectQmp(qemu.stdin, qemu.stdout, judge, judgeSilence), endedFirst]);
    qmp = await within(greeting, GREETING_MS, () => new Error('it says nothing over QMP'));
    const sshPort = await forwardedPort(qmp);
    watchForPanic(console, watch);
    return { pid: qemu.pid, console, qmp, watch, sshPort, ended, end };
  } catch (error) {
    // QEMU greets before it makes the devices: when it ends over one of them, its own words say more than the error.
    const how = await within(qemu.ended, 1_000, () => error as Error).catch((reason: unknown) => reason);
    await end();
    throw how instanceof RigError
      ? how
      : await refusal(spec, how instanceof Error ? how.message : String(how));
  }
}

/** The host port in HMP's `info usernet`: QMP has no command that tells which one QEMU took. */
export function parseForwardedPort(usernet: string): number | undefined {
  const match = /^\s*TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s/m.exec(usernet);
  return match ? Number(match[1]) : undefined;
}

async function forwardedPort(qmp: Qmp): Promise<number> {
  const usernet = String(await qmp.execute('human-monitor-command', { 'command-line': 'info usernet' }));
  const port = parseForwardedPort(usernet);
  if (port === undefined) {
    throw new RigError(
      'qemu',
      'QEMU does not tell the port that leads to the guest',
      undefined,
      lastLines(usernet),
    );
  }
  return port;
}

function watchForPanic(console: LiveConsole, watch: DeathWatch): void {
  const stop = console.onGrowth(() => {
    const panic = panicLine(console.since(Math.max(0, console.length - 65_536)));
    if (!panic) return;
    stop();
    setTimeout(() => watch.declare({ kind: 'panic', message: panic }), PANIC_NOTICE_MS).unref();
  });
}

async function refusal(spec: GuestSpec, how: string): Promise<RigError> {
  const log = await qemuLog(spec.dir);
  return new RigError(
    'qemu',
    `QEMU did not start (${how})${log.length > 0 ? `: ${log.join(' ')}` : ''}`,
    `run ${join(spec.dir, 'qemu.sh')} to see it by hand`,
    log,
  );
}

async function endOfLog(dir: string): Promise<string> {
  const log = await qemuLog(dir);
  return log.length > 0 ? `: ${log.slice(-3).join(' ')}` : '';
}

async function qemuLog(dir: string): Promise<string[]> {
  return lastLines(await readFile(join(dir, QEMU_LOG), 'utf8').catch(() => ''));
}
