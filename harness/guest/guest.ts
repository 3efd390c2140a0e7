import type { ResolvedKernel } from '../kernel/resolved.js';
import type { MachinePlan } from '../topology/plan.js';

/** Exactly what a command in the guest left behind. */
export interface ExecResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** exit status; null when a signal ended it */
  readonly code: number | null;
  readonly signal: string | null;
  readonly milliseconds: number;
}

export interface ExecOptions {
  readonly stdin?: string | Buffer;
  /** deadline; after it the call rejects with GuestTimeout */
  readonly timeoutMs: number;
}

/** Where POSIX sh lines can be run. What the engine and the ABI rooms need of a guest, and all they need. */
export interface GuestShell {
  /** Runs the text with `sh -c` in a process of its own. Any number may run at once. */
  exec(line: string, options: ExecOptions): Promise<ExecResult>;
  /**
   * Runs the text in the guest's one long-lived shell, in order of the calls: no process is started for shell
   * builtins, so a sysfs write costs a few milliseconds. For lines that end by themselves and read no stdin.
   */
  type(line: string, options: { readonly timeoutMs: number }): Promise<ExecResult>;
}

/** The guest did not answer within the deadline; it may still be at it. */
export class GuestTimeout extends Error {
  override readonly name = 'GuestTimeout';
  constructor(
    readonly line: string,
    readonly timeoutMs: number,
  ) {
    super(`no answer from the guest within ${timeoutMs} ms: ${line}`);
  }
}

/** A line that had less time than its own: what it was typed for is out of time. */
export class CutShort extends GuestTimeout {
  constructor(
    { line, timeoutMs }: GuestTimeout,
    readonly of: 'step' | 'case',
  ) {
    super(line, timeoutMs);
  }
}

/** The guest is gone while somebody waited for it. `kind` decides the verdict: a panic is the kernel's fault. */
export class GuestDied extends Error {
  override readonly name = 'GuestDied';
  constructor(readonly death: GuestDeath) {
    super(death.message);
  }
}

export interface GuestDeath {
  readonly kind:
    | 'panic'
    /** the guest powered itself off or rebooted though nobody asked */
    | 'shutdown'
    /** KVM or QEMU stopped it: `internal-error`, watchdog, pause by QMP */
    | 'stopped'
    /** QEMU ended or was killed */
    | 'qemu'
    /** QEMU runs, the connection is gone and does not come back */
    | 'ssh';
  readonly message: string;
  /** the last lines of the console, newest last */
  readonly console: readonly string[];
}

export type Accelerator = 'tcg' | 'kvm';

/** Everything that decides how a guest is booted. */
export interface GuestSpec {
  readonly kernel: ResolvedKernel;
  /** absolute path of the initramfs built for this kernel */
  readonly initramfs: string;
  readonly machine: MachinePlan;
  /** kernel command line options after the harness's own and the profile's */
  readonly cmdline: readonly string[];
  readonly accelerator: Accelerator;
  /** an existing empty folder: console.log, qemu.log, qemu.sh, sockets and keys live here */
  readonly dir: string;
  readonly bootTimeoutMs?: number;
}

/** A message that QMP sent or was sent, for the trace. */
export interface QmpTraffic {
  readonly at: number;
  readonly direction: 'command' | 'return' | 'error' | 'event';
  readonly message: unknown;
}

/** The console as it is so far; it only grows. */
export interface ConsoleLog {
  readonly file: string;
  /** bytes so far: a mark to pass to `since` later */
  readonly length: number;
  /** text from a mark on (0: all) */
  since(mark: number): string;
  /** resolves with the match when the text from `mark` on matches; rejects with GuestTimeout or GuestDied */
  waitFor(
    pattern: RegExp,
    options: { readonly mark?: number; readonly timeoutMs: number },
  ): Promise<RegExpExecArray>;
}

/** How a guest came up. */
export interface GuestStart {
  readonly how: 'cold' | 'resumed';
  /** why it was not resumed, where it could have been asked for */
  readonly reason?: string;
  /** it was to be resumed, and was booted when that failed */
  readonly fellBack?: true;
  /** it stood still so often, each time where this says, and was started again; its template, if that was made for it */
  readonly stalls?: readonly string[];
}

/** A booted guest that answers. */
export interface RunningGuest extends GuestShell {
  readonly spec: GuestSpec;
  readonly console: ConsoleLog;
  readonly accelerator: Accelerator;
  readonly start: GuestStart;
  /** milliseconds from QEMU's start to the first answer over SSH */
  readonly bootMilliseconds: number;
  readonly pid: number;
  /** how to get in by hand while it lives */
  readonly ssh: { readonly port: number; readonly keyFile: string; readonly knownHostsFile: string };
  /** resolves when the guest dies without having been asked to; never rejects */
  readonly death: Promise<GuestDeath>;
  /** @throws QmpError when QEMU answers with an error */
  qmp(execute: string, args?: Record<string, unknown>): Promise<unknown>;
  /** all QMP traffic so far, oldest first */
  readonly qmpTraffic: readonly QmpTraffic[];
  /** waits for a QMP event from now on */
  waitForEvent(name: string, options: { readonly timeoutMs: number }): Promise<unknown>;
  /** a clean reboot from inside; resolves when the guest answers again. The death promise does not fire for it. */
  reboot(): Promise<void>;
  /**
   * starts the same kernel anew by kexec, without a reset of the machine, in a guest with RETAIN_INITRD on its command
   * line; resolves when the guest answers again. The death promise does not fire for it.
   * @param cmdline options after those of the running kernel
   * @throws KexecRefused
   */
  kexec(cmdline: readonly string[]): Promise<void>;
  /** opens QEMU's gdbstub on a loopback port of its own, once: `127.0.0.1:41234` */
  openGdbstub(): Promise<string>;
  /** stops the machine until a debugger has it go on; never resolves in a guest that dies or is ended meanwhile */
  halt(): Promise<void>;
  /** ends QEMU and removes sockets and keys; console.log, qemu.log and qemu.sh stay. Idempotent. */
  stop(): Promise<void>;
}

/** The running kernel, or kexec itself, refused to load or to start the next one. */
export class KexecRefused extends Error {
  override readonly name = 'KexecRefused';
}

/** QEMU refused a QMP command: `class` is QEMU's error class, `description` its text. */
export class QmpError extends Error {
  override readonly name = 'QmpError';
  constructor(
    readonly command: string,
    readonly errorClass: string,
    readonly description: string,
  ) {
    super(`QMP ${command}: ${description}`);
  }
}
