import { diagnoseBoot, INIT_READY, INIT_STARTED, KERNEL_STARTED } from './diagnosis.js';
import type { GuestSpec } from '../guest.js';
import type { Machine } from './machine.js';
import { unlessStalled } from './progress.js';
import type { Session } from '../transport/session.js';

/** How far a boot has come: QEMU runs, the kernel prints, init runs, init is done, the guest answers. */
export type BootPhase = 'qemu' | 'kernel' | 'init' | 'ready' | 'connected';

const SEEN_ON_CONSOLE = [
  ['kernel', KERNEL_STARTED],
  ['init', INIT_STARTED],
  ['ready', INIT_READY],
] as const;

export interface ComingUp {
  /** mark of the console at the machine's start */
  readonly since: number;
  readonly withinMs: number;
  /** of the kernel */
  readonly slowness: number | undefined;
  readonly onPhase?: ((phase: BootPhase) => void) | undefined;
}

/** Generous: a boot takes 5 s under TCG, and several times that on a host whose cores have a guest each. */
const BOOT_MS = 120_000;

/** How long the guest may take to boot, in milliseconds. */
export function bootDeadline({ kernel, bootTimeoutMs }: GuestSpec): number {
  return bootTimeoutMs ?? BOOT_MS * (kernel.slowness ?? 1);
}

/**
 * Waits until the system in a machine that has just started, or restarted, has answered over SSH.
 * @throws RigError, GuestDied: see diagnoseBoot; Stalled when it stands still before init
 */
export async function comeUp(
  machine: Machine,
  session: Session,
  { since, withinMs, slowness, onPhase }: ComingUp,
): Promise<void> {
  const { console } = machine;
  const end = performance.now() + withinMs;
  const left = (): number => Math.max(1, end - performance.now());
  try {
    for (const [phase, pattern] of SEEN_ON_CONSOLE) {
      const seen = console.waitFor(pattern, { mark: since, timeoutMs: left() });
      // what init waits for is the drivers' affair
      await (phase === 'ready' ? seen : unlessStalled(machine, slowness, seen));
      onPhase?.(phase);
    }
    await session.connect(left());
    await openToKernelLog(session, left());
    onPhase?.('connected');
  } catch (error) {
    throw diagnoseBoot(error, console.since(since), withinMs);
  }
}

/** All that the kernel logs but debugging reaches the console from now on: `loglevel=6` held it back to boot sooner. */
export async function openToKernelLog(session: Session, timeoutMs: number): Promise<void> {
  await session.type('echo 7 > /proc/sys/kernel/printk', { timeoutMs });
}
