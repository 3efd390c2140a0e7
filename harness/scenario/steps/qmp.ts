import { QmpError } from '../../guest/guest.js';
import type { StepBody } from '../language.js';
import { qmpFault } from '../qmp-commands.js';
import { jsonMismatch } from './json-contains.js';
import { Unmet } from './outcome.js';
import type { StepScope } from './scope.js';

export async function qmp(body: StepBody<'qmp'>, scope: StepScope): Promise<void> {
  // once more than when the scenario was loaded: captures are put in by now
  const fault = qmpFault(body.execute, body.arguments);
  if (fault) throw new Unmet({ message: fault.message, path: fault.path, blame: 'rig' });
  const answer = await giveCommand(scope, body.execute, body.arguments);
  if (body.returns === undefined) return;
  const mismatch = jsonMismatch(answer, body.returns);
  if (!mismatch) return;
  throw new Unmet({
    message: `the answer to QMP ${body.execute} does not contain it`,
    path: ['returns', ...mismatch.path],
    expected: mismatch.expected,
    received: mismatch.received,
    subject: body.execute,
    blame: 'rig',
  });
}

/** @throws Unmet when QEMU refuses: that is not the kernel's doing */
export async function giveCommand(
  scope: StepScope,
  execute: string,
  args?: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  try {
    return await scope.qmp(execute, args && { ...args });
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
    throw new Unmet({
      message: `QEMU refused ${execute}: ${error.description}`,
      path: [],
      received: `${error.errorClass}: ${error.description}`,
      subject: execute,
      blame: 'rig',
    });
  }
}
