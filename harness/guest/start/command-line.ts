import { quote } from '../../base/sh-quote.js';
import { argsWithMemoryFiles, argsWithoutDevices } from '../../topology/index.js';
import type { GuestSpec } from '../guest.js';

/** Files in the guest's folder, which is QEMU's working folder: relative names have no commas that QEMU would split at. */
export const CONSOLE_LOG = 'console.log';
export const QEMU_LOG = 'qemu.log';
export const QEMU_SCRIPT = 'qemu.sh';
export const INITRD = 'initrd';
/** of a resumed guest: where its console takes what is typed */
export const CONSOLE_SOCKET = 'console.sock';

/** The port of the guest's SSH server inside, and its address in QEMU's user network, where images/init puts it. */
const GUEST_SSH_PORT = 22;

/**
 * QEMU's arguments for a guest that is driven by the harness: QMP on standard input and output, the console written by
 * QEMU itself into `console.log` from the first byte, SSH forwarded from a loopback port that QEMU picks.
 */
export function qemuArguments(spec: GuestSpec): string[] {
  return [...machineArguments(spec), ...driven, '-chardev', `file,id=console,path=${CONSOLE_LOG}`];
}

/**
 * The same for a machine that a template is made of: without CXL devices, and its memory in files of the guest's folder.
 */
export function templateArguments(spec: GuestSpec): string[] {
  const { machine } = spec;
  const args = argsWithMemoryFiles(argsWithoutDevices(machine), machine.memoryBytes, {
    folder: spec.dir,
    access: 'shared',
  });
  const qemuArgs = [...args, '-chardev', `file,id=console,path=${CONSOLE_LOG}`];
  return [...machineArguments({ ...spec, machine: { ...machine, qemuArgs } }), ...driven];
}

/**
 * The same for a guest that goes on from the template in the folder. QEMU adds to the console's log, which begins as
 * the template's, and takes what is typed on the console from a socket.
 *
 * Its CPUs take turns in one thread: of guests with two CPUs in two threads one in 60 hung after the resume.
 */
export function resumedArguments(spec: GuestSpec, folder: string): string[] {
  const { machine } = spec;
  const args = argsWithMemoryFiles(machine.qemuArgs, machine.memoryBytes, { folder, access: 'private' });
  const console = `socket,id=console,path=${CONSOLE_SOCKET},server=on,wait=off,logfile=${CONSOLE_LOG},logappend=on`;
  const qemuArgs = [...args, '-chardev', console, '-incoming', 'defer'];
  return [...machineArguments({ ...spec, machine: { ...machine, qemuArgs } }, ',thread=single'), ...driven];
}

const driven = [
  ...['-initrd', INITRD],
  ...['-serial', 'chardev:console'],
  // Standard input and output need no path, which a Unix socket limits to 108 bytes, and end with the process.
  ...['-chardev', 'stdio,id=qmp,signal=off', '-mon', 'chardev=qmp,mode=control'],
];

/**
 * A POSIX shell script that starts the same machine by hand: console on the terminal (Ctrl-A x ends it), the image
 * without the run's keys. Further QEMU options can be given to it.
 */
export function qemuScript(spec: GuestSpec, qemu: string): string {
  const args = [
    ...machineArguments(spec),
    ...['-initrd', spec.initramfs],
    ...['-chardev', 'stdio,id=console,mux=on,signal=off'],
    ...['-serial', 'chardev:console', '-mon', 'chardev=console'],
  ];
  return [
    '#!/bin/sh',
    `# ${spec.machine.name}, kernel ${spec.kernel.release} (${spec.kernel.origin.replace(/\s+/g, ' ')})`,
    `exec ${quote(qemu)} \\`,
    ...oneOptionALine(args).map((line) => `  ${line} \\`),
    '  "$@"',
    '',
  ].join('\n');
}

/** What decides the machine that the kernel sees, and nothing else. */
function machineArguments(spec: GuestSpec, threads = ''): string[] {
  return [
    ...['-nodefaults', '-no-user-config'],
    // No guest here uses the devices that are switched off; without them it boots 0.2 s sooner.
    ...['-M', 'q35,cxl=on,sata=off,smbus=off,usb=off,hpet=off'],
    ...['-accel', `${spec.accelerator}${threads}`],
    // Without the hypervisor bit: else cpu_cache_has_invalidate_memregion() refuses every region (ENXIO, ndctl#250).
    // Without fast string instructions: under TCG they clear CXL memory, which is I/O memory, a byte at a time.
    ...['-cpu', 'max,-hypervisor,-erms,-fsrm,-fzrm,-fsrs'],
    ...['-display', 'none', '-no-reboot'],
    // A panicked guest is kept as it is, so that the whole trace reaches the console before anything else happens.
    ...['-action', 'panic=pause'],
    ...['-kernel', spec.kernel.image],
    ...['-append', kernelCommandLine(spec)],
    ...['-netdev', JSON.stringify(network)],
    // `bus`: QEMU would put a device without one on the first pxb-cxl, which refuses it.
    ...['-device', JSON.stringify({ driver: 'virtio-net-pci', netdev: 'net0', bus: 'pcie.0', romfile: '' })],
    ...['-device', JSON.stringify({ driver: 'pvpanic-pci', bus: 'pcie.0' })],
    ...spec.machine.qemuArgs,
  ];
}

/** `restrict`: the guest reaches neither the host nor the network; only the forwarded port leads in. */
const network = {
  type: 'user',
  id: 'net0',
  restrict: true,
  hostfwd: [{ str: `tcp:127.0.0.1:0-:${GUEST_SSH_PORT}` }],
};

function kernelCommandLine({ kernel, cmdline }: GuestSpec): string {
  return [
    'console=ttyS0',
    // Notices and worse while booting, as each line costs time; the harness opens the tap when it is in.
    'loglevel=6',
    // At once, and -no-reboot makes it an event; pvpanic catches a panic earlier when its driver is loaded.
    'panic=-1',
    // Under TCG the clocksource watchdog of a busy host finds fault with a good TSC.
    'tsc=reliable',
    // The self-tests of the crypto algorithms take 1.5 s of a boot under TCG and have nothing to do with memory.
    'cryptomgr.notests',
    ...kernel.cmdline,
    ...cmdline,
  ].join(' ');
}

function oneOptionALine(args: readonly string[]): string[] {
  const lines: string[] = [];
  for (const arg of args) {
    const previous = lines.at(-1);
    const isValue = !arg.startsWith('-') && previous !== undefined && !previous.includes(' ');
    if (isValue) lines[lines.length - 1] = `${previous} ${quote(arg)}`;
    else lines.push(quote(arg));
  }
  return lines;
}
