import { writeLine } from '../../abi/index.js';
import { UsageError } from '../../base/errors.js';
import { hotAddCommands, hotRemoveCommands, planHotDevice, slotPowerFile } from '../../topology/index.js';
import type { StepBody } from '../language.js';
import { DEFAULT_WITHIN_MS, onThisKernel } from './context.js';
import { Unmet } from './outcome.js';
import { giveCommand } from './qmp.js';
import { lookUntil, sleep, type StepScope } from './scope.js';
import { memdevWithSerial } from './select.js';
import { toBytes } from './values.js';

/** Plugs a device in and waits for its memdev with an endpoint. */
export async function hotAdd(body: StepBody<'hot-add'>, scope: StepScope): Promise<void> {
  const bytes = (key: 'volatile' | 'persistent' | 'labels') =>
    body[key] === undefined ? {} : { [key]: toBytes(body[key], [key]) };
  const { id, port, serial } = body;
  const device = inRules(() =>
    planHotDevice(
      { id, port, serial, ...bytes('volatile'), ...bytes('persistent'), ...bytes('labels') },
      scope.plan,
    ),
  );
  scope.session.hotAdds += 1;
  for (const command of hotAddCommands(device, scope.session.hotAdds)) {
    await giveCommand(scope, command.execute, command.arguments);
  }
  scope.session.hotDevices.set(id, device);
  const found = await lookUntil(scope, waitMs(scope), (state) => {
    const memdev = memdevWithSerial(device.serial, state);
    return memdev !== undefined && state.memdevs[memdev]?.endpoint !== undefined ? memdev : undefined;
  });
  if (found !== undefined) return;
  throw new Unmet({
    message: `${id} was plugged into ${port}, and no memdev with an endpoint appeared`,
    path: [],
    subject: '/sys/bus/cxl/devices/mem*/serial',
    expected: device.serial,
    received: Object.values(scope.state().memdevs).map((memdev) => memdev.serial),
  });
}

/**
 * Unplugs a device. QEMU 10 sends no DEVICE_DELETED for a CXL device: it is gone when the machine does not list it.
 * By the slot's power it takes a second, by device_del six: the attention button gives five to think again.
 */
export async function hotRemove(body: StepBody<'hot-remove'>, scope: StepScope): Promise<void> {
  const device = scope.qemuDevice(body.device, ['device']);
  if (body.via === 'slot') {
    const file = inRules(() => slotPowerFile(device.port, scope.plan));
    await scope.type(writeLine(file, '0'));
  } else {
    for (const command of hotRemoveCommands(device))
      await giveCommand(scope, command.execute, command.arguments);
  }
  const until = performance.now() + waitMs(scope);
  for (;;) {
    const parts = (await scope.session.context.guest.qmp('qom-list', { path: '/machine/peripheral' })) as {
      readonly name: string;
    }[];
    if (!parts.some(({ name }) => name === device.id)) return;
    if (performance.now() > until) break;
    await sleep(100);
  }
  throw new Unmet({
    message: `the guest did not let go of ${device.id}`,
    path: ['device'],
    subject: `/machine/peripheral/${device.id}`,
    expected: 'no such device',
    received: 'still plugged in',
  });
}

/** What is left of the step's time. */
function waitMs(scope: StepScope): number {
  const left = scope.deadline - performance.now();
  const usual = onThisKernel(scope.session.context, 2 * DEFAULT_WITHIN_MS);
  return Math.max(1_000, scope.step.document.timeout === undefined ? Math.min(usual, left) : left);
}

function inRules<T>(plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    if (error instanceof UsageError) throw new Unmet({ message: error.message, path: [], blame: 'scenario' });
    throw error;
  }
}
