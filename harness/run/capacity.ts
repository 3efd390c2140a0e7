import type { MachinePlan } from '../topology/plan.js';

export interface Capacity {
  /** guests at a time */
  readonly jobs: number;
  /** what to tell the user, when this machine is too small for what was asked */
  readonly remark?: string;
}

/** What QEMU takes beside the guest's own memory (translated code above all), and the worker that drives it. */
const BESIDE_A_GUEST = 400 * 2 ** 20;

/**
 * How many guests this machine has memory for. A guest is counted with all of its own memory, which it may touch;
 * its CXL devices are counted as nothing, for scenarios touch a few MB of them.
 * @param asked guests at a time that the user, or the number of cores, asks for
 * @param available bytes; what the kernel, or the control group that we are in, can still give
 */
export function guestsAtATime(
  asked: number,
  machines: readonly Pick<MachinePlan, 'memoryBytes' | 'name'>[],
  available: number = process.availableMemory(),
): Capacity {
  const largest = machines.reduce((most, { memoryBytes }) => Math.max(most, memoryBytes), 0);
  const each = largest + BESIDE_A_GUEST;
  const fitting = Math.floor(available / each);
  if (fitting >= asked) return { jobs: asked };
  const need = `a guest may take ${gib(each)}, and ${gib(available)} are free`;
  if (fitting === 0)
    return { jobs: 1, remark: `this machine is too small: ${need}; one guest at a time is tried` };
  return { jobs: fitting, remark: `${fitting} of ${asked} guests at a time: ${need}` };
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
