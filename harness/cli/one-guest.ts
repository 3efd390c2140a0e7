import { rm } from 'node:fs/promises';
import { temporaryFolder } from '../base/owner.js';
import { chooseAccelerator, startGuest, type Accelerator, type RunningGuest } from '../guest/index.js';
import { withBuildTools } from '../host/install.js';
import { chooseProfile } from '../kernel/index.js';
import { liveView } from '../report/live.js';
import { prepareBootable } from '../run/prepare.js';
import { chooseTools, withTools } from '../tools/index.js';
import type { MachinePlan } from '../topology/index.js';
import { additionsOf, type GuestFlags } from './guest-flags.js';
import { abortOnInterrupt } from './interrupt.js';
import type { KernelFlags } from './kernel-flags.js';

/** The flags of the verbs whose guest is for the person at the terminal. */
export interface OneGuestFlags extends KernelFlags, GuestFlags {
  readonly tools?: string;
  readonly kernel?: string;
  readonly accel?: Accelerator;
}

interface OneGuest {
  readonly machine: MachinePlan;
  readonly cmdline: readonly string[];
  /** why the guest must boot, if it must */
  readonly cold?: string | undefined;
}

/** Does the work with a guest of its own, which ends with it; what is waited for until then is told on standard error. */
export function withOneGuest<T>(
  flags: OneGuestFlags,
  wanted: OneGuest,
  work: (guest: RunningGuest, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withBuildTools(() => startAndWork(flags, wanted, work));
}

async function startAndWork<T>(
  flags: OneGuestFlags,
  { machine, cmdline, cold }: OneGuest,
  work: (guest: RunningGuest, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { kernel, kernelTree, patches, mirror, accel, tools } = flags;
  const interrupt = abortOnInterrupt();
  const { signal } = interrupt;
  const view = liveView(process.stderr);
  const dir = await temporaryFolder('guest');
  try {
    const progress = view.progress.bind(view);
    const profile = withTools(
      await chooseProfile({ profile: kernel, kernelTree, patches }),
      await chooseTools({ ...flags, tools }),
    );
    const bootable = await prepareBootable(profile, {
      progress,
      mirror,
      signal,
      additions: await additionsOf(flags),
    });
    const { accelerator } = await chooseAccelerator(accel);
    progress({ task: `boot ${bootable.kernel.release} on ${machine.name}` });
    const guest = await startGuest({ ...bootable, machine, cmdline, accelerator, dir }, { signal, cold });
    view.close();
    try {
      return await work(guest, signal);
    } finally {
      await guest.stop();
    }
  } finally {
    view.close();
    interrupt.release();
    await rm(dir, { recursive: true, force: true });
  }
}
