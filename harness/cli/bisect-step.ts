import { UsageError } from '../base/errors.js';
import { markOf } from '../run/bisect/bisect.js';
import type { RunOutcome } from '../run/index.js';
import { KernelUnfit } from '../run/prepare.js';
import { explain, INTERRUPTED } from './explain.js';

/** What `git bisect run` makes of an exit code: above 127 it stops, 125 skips the commit, other codes but 0 are bad. */
const CODES = { good: 0, bad: 1, skip: 125 } as const;
const STOP = 128;

/**
 * Runs as a step of `git bisect run`.
 * @returns the exit code; whatever went wrong is explained on standard error
 */
export async function asBisectStep(
  work: () => Promise<Pick<RunOutcome, 'traces' | 'summary'>>,
): Promise<number> {
  try {
    const outcome = await work();
    return outcome.summary.exitCode === INTERRUPTED ? INTERRUPTED : CODES[markOf(outcome).mark];
  } catch (error) {
    const code = explain(error, process.stderr);
    if (code === INTERRUPTED) return INTERRUPTED;
    return error instanceof UsageError && !(error instanceof KernelUnfit) ? STOP : CODES.skip;
  }
}
