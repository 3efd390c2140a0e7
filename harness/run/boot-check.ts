import { rm } from 'node:fs/promises';
import { RigError } from '../base/errors.js';
import { silent } from '../base/progress.js';
import { temporaryFolder } from '../base/owner.js';
import { bootGuest, chooseAccelerator, GuestDied, GuestTimeout, type RunningGuest } from '../guest/index.js';
import { buildImage } from '../image/index.js';
import type { ObtainOptions, ResolvedKernel } from '../kernel/index.js';
import { loadTopology } from '../topology/index.js';
import { findSplats } from '../verdict/index.js';

/** What became of booting a kernel once. */
export interface BootResult {
  readonly good: boolean;
  /** a few words: `boots in 4.1 s`, `panics: ...` */
  readonly text: string;
}

/** The smallest machine that has something for every driver from the CXL window to kmem. */
const TOPOLOGY = 'one-volatile';

/** From the answer over SSH to the memdev: its drivers are modules, and probe asynchronously. */
const PROBE_MS = 60_000;

/**
 * Boots a kernel on a machine with a CXL memdev, waits until that is there, and looks for splats.
 * @throws RigError when it is this machine that is not fit for it; what the kernel does is in the result
 */
export async function bootCheck(
  kernel: ResolvedKernel,
  { progress = silent, mirror, signal }: ObtainOptions = {},
): Promise<BootResult> {
  const { initramfs } = await buildImage(kernel, { progress, mirror });
  signal?.throwIfAborted();
  const machine = await loadTopology(TOPOLOGY);
  const { accelerator } = await chooseAccelerator();
  const dir = await temporaryFolder('boot');
  progress({ task: `boot ${kernel.release} on ${machine.name}` });
  let guest: RunningGuest | undefined;
  try {
    guest = await bootGuest(
      { kernel, initramfs, machine, cmdline: [], accelerator, dir },
      signal ? { signal } : {},
    );
    await guest.exec('until [ -e /sys/bus/cxl/devices/mem0 ]; do sleep 0.1; done', {
      timeoutMs: PROBE_MS * (kernel.slowness ?? 1),
    });
    const [splat] = findSplats(guest.console.since(0));
    const time = `${(guest.bootMilliseconds / 1000).toFixed(1)} s`;
    return splat
      ? { good: false, text: `boots, with a splat: ${splat.title}` }
      : { good: true, text: `boots in ${time}` };
  } catch (error) {
    return { good: false, text: whatWentWrong(error) };
  } finally {
    await guest?.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** What a kernel that does not come up did; anything else is thrown on. */
function whatWentWrong(error: unknown): string {
  if (error instanceof GuestDied)
    return `${error.death.kind === 'panic' ? 'panics' : 'dies'}: ${firstLine(error.message)}`;
  if (error instanceof GuestTimeout) return 'boots, but mem0 does not come';
  if (error instanceof RigError && ['boot', 'init', 'ssh'].includes(error.stage))
    return `does not boot: ${firstLine(error.message)}`;
  throw error;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
