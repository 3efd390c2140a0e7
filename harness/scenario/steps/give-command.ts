import { QmpError } from '../../guest/guest.js';
import { qmpFaults } from '../language/qmp-commands.js';
import { Unmet } from './outcome.js';
import type { StepScope } from './scope.js';

/**
 * The one door through which steps reach QEMU's monitor, and so where it is seen to that none reaches the host: once more
 * than when the scenario was loaded, as captures are put in by now.
 * @param at where the arguments stand in the step's body
 * @throws Unmet when a scenario may not say it, or when QEMU refuses: that is not the kernel's doing
 */
export async function giveCommand(
  scope: StepScope,
  execute: string,
  args?: Readonly<Record<string, unknown>>,
  at: readonly string[] = ['arguments'],
): Promise<unknown> {
  const [fault] = qmpFaults(execute, args, at);
  if (fault) throw new Unmet({ message: fault.message, path: fault.path, blame: 'scenario' });
  try {
    return await scope.qmp(execute, args && { ...args });
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
    throw new Unmet({
      message: `QEMU refused ${execute}: ${error.description}`,
      path: [],
      received: `${error.errorClass}: ${error.description}`,
      subject: execute,
      blame: 'emulator',
    });
  }
}
