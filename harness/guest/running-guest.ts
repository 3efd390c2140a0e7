import { RigError } from '../base/errors.js';
import { bootDeadline, comeUp } from './start/come-up.js';
import { panicLine } from './death.js';
import { KERNEL_STARTED } from './start/diagnosis.js';
import { removeSecrets, type GuestKeys } from './start/guest-dir.js';
import { KexecRefused, type GuestSpec, type GuestStart, type RunningGuest } from './guest.js';
import { kexecLine } from './kexec.js';
import type { Machine } from './start/machine.js';
import type { Qmp } from './transport/qmp.js';
import type { Session } from './transport/session.js';

/** How long a running system may take to go down; the kernel shuts every device down in turn. */
const GO_DOWN_MS = 60_000;

/** The contract's view of a guest that has come up. */
export function runningGuest(
  spec: GuestSpec,
  machine: Machine,
  session: Session,
  keys: GuestKeys,
  start: GuestStart,
  bootMilliseconds: number,
): RunningGuest {
  const { console, qmp, watch } = machine;
  let stopping: Promise<void> | undefined;
  let gdbstub: Promise<string> | undefined;

  const stop = async (): Promise<void> => {
    await machine.end();
    await removeSecrets(spec.dir);
  };

  return {
    spec,
    console,
    accelerator: spec.accelerator,
    start,
    bootMilliseconds,
    pid: machine.pid,
    ssh: { port: machine.sshPort, keyFile: keys.keyFile, knownHostsFile: keys.knownHostsFile },
    death: watch.death,
    exec: session.exec,
    type: session.type,
    qmp: (execute, args) => session.orDeath(qmp.execute(execute, args)),
    qmpTraffic: qmp.traffic,
    waitForEvent: (name, options) => session.orDeath(qmp.waitForEvent(name, options)),
    reboot: () => reboot(machine, session, spec),
    kexec: (cmdline) => kexec(machine, session, spec, cmdline),
    openGdbstub: () => (gdbstub ??= openGdbstub(qmp)),
    halt: () => halt(qmp),
    stop: () => (stopping ??= stop()),
  };
}

/** QEMU takes a free port; which one only the list of its character devices tells. */
async function openGdbstub(qmp: Qmp): Promise<string> {
  const complaint = await qmp.execute('human-monitor-command', {
    'command-line': 'gdbserver tcp:127.0.0.1:0',
  });
  const devices = (await qmp.execute('query-chardev')) as readonly {
    readonly label: string;
    readonly filename: string;
  }[];
  const address = devices.flatMap(({ label, filename }) =>
    label === 'gdb' ? (/tcp:([\d.]+:\d+)/.exec(filename)?.[1] ?? []) : [],
  )[0];
  if (address !== undefined) return address;
  throw new RigError('qmp', `QEMU opens no gdbstub: ${String(complaint).trim()}`);
}

/** As long as a timer can wait. */
const FOREVER_MS = 2 ** 31 - 1;

async function halt(qmp: Qmp): Promise<void> {
  const goesOn = qmp.waitForEvent('RESUME', { timeoutMs: FOREVER_MS });
  await qmp.execute('stop');
  await goesOn;
}

/**
 * cxl_pci lets go of its devices first: a reset of QEMU clears their HDM decoders but not the memory enable bit of their
 * DVSEC, and the next kernel refuses such endpoints ("Range register decodes outside platform defined CXL ranges").
 */
const REBOOT =
  'for d in /sys/bus/pci/drivers/cxl_pci/*:*; do echo "${d##*/}" > "${d%/*}/unbind"; done; sync; reboot -f';

/**
 * While it is asked for, QEMU lets a reset be a reset; at any other time it would be the end of the machine. It takes
 * two until the kernel is back: the firmware, which finds that it has run before, makes one of its own.
 */
async function reboot(machine: Machine, session: Session, spec: GuestSpec): Promise<void> {
  const { console, qmp, watch } = machine;
  const mark = console.length;
  const goDownMs = goDownDeadline(spec);
  await session.orDeath(qmp.execute('set-action', { reboot: 'reset' }));
  try {
    const reset = qmp.waitForEvent('RESET', { timeoutMs: goDownMs });
    // -f: init is a script that runs no services; the kernel still shuts its devices down in order.
    session.exec(REBOOT, { timeoutMs: goDownMs }).catch(() => undefined);
    await session.orDeath(reset);
    session.disconnect();
    const panic = panicLine(console.since(mark));
    if (panic) watch.declare({ kind: 'panic', message: panic });
    await console.waitFor(KERNEL_STARTED, { mark, timeoutMs: goDownMs });
  } finally {
    await qmp.execute('set-action', { reboot: 'shutdown' }).catch(() => undefined);
  }
  await comeBack(machine, session, spec, mark);
}

/** Waits for the next kernel, which prints from the mark on. */
async function comeBack(machine: Machine, session: Session, spec: GuestSpec, mark: number): Promise<void> {
  await comeUp(machine, session, {
    since: mark,
    withinMs: bootDeadline(spec),
    slowness: spec.kernel.slowness,
  });
}

function goDownDeadline({ kernel }: GuestSpec): number {
  return GO_DOWN_MS * (kernel.slowness ?? 1);
}

/** The next kernel starts without a reset: what the devices have committed and what they hold is as it was. */
async function kexec(
  machine: Machine,
  session: Session,
  spec: GuestSpec,
  cmdline: readonly string[],
): Promise<void> {
  const { console } = machine;
  const mark = console.length;
  const withinMs = goDownDeadline(spec);
  // answers only when it fails; who was told nothing meanwhile has a new kernel
  const refused = session.exec(kexecLine(spec.kernel, cmdline), { timeoutMs: withinMs }).then(
    ({ stderr, code }) => `kexec ended with ${code}: ${stderr.toString().trim()}`,
    () => new Promise<never>(() => undefined),
  );
  const started = console.waitFor(KERNEL_STARTED, { mark, timeoutMs: withinMs }).then(() => undefined);
  const complaint = await session.orDeath(Promise.race([started, refused]));
  if (complaint !== undefined) throw new KexecRefused(complaint);
  session.disconnect();
  await comeBack(machine, session, spec, mark);
}
