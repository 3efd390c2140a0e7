import { z } from 'zod';
import { writeLine } from '../../abi/index.js';
import { UsageError } from '../../base/errors.js';
import { parseSize } from '../../base/size.js';
import { hotAddCommands, hotRemoveCommands, planHotDevice, slotPowerFile } from '../../topology/index.js';
import { ID } from '../../topology/language.js';
import { type CaseKnowledge, type Fault, unknownDevice } from '../load/case-knowledge.js';
import { size, text } from '../language/scalars.js';
import { DEFAULT_WITHIN_MS, onThisKernel } from '../steps/context.js';
import { Unmet } from '../steps/outcome.js';
import { giveCommand } from '../steps/give-command.js';
import { type StepScope, lookUntil, sleep } from '../steps/scope.js';
import { memdevWithSerial } from '../steps/select.js';
import { toBytes } from '../steps/values.js';
import { OF_LINES, defineStep } from './definition.js';

const deviceId = z.string().regex(ID, 'not a device id: small letters, digits and `-`, a letter first');

const hotAddBody = z
  .strictObject({
    id: deviceId.meta({ description: 'names the new device in the steps after it' }),
    port: z.string().meta({ description: 'topology id of the root port or switch port' }),
    volatile: size.optional(),
    persistent: size.optional(),
    labels: size.optional(),
    serial: z.number().int().positive().optional(),
  })
  .meta({
    description: 'plugs a type-3 device into a port',
    examples: [{ id: 'mem9', port: 'rp1', volatile: '256M' }],
  });

export const hotAdd = defineStep({
  schema: hotAddBody,
  honours: ['timeout'],
  title: ({ id, port }) => `plug ${id} into ${port}`,
  faults: (body, known) => {
    known.hotDevices.add(body.id);
    return faultsOfHotAdd(body, known);
  },
  run: plugIn,
});

const hotRemoveBody = z
  .strictObject({
    device: text.meta({ description: 'topology device id, or that of a `hot-add`' }),
    via: z
      .enum(['qmp', 'slot'])
      .default('slot')
      .meta({ description: "slot: the guest turns the slot's power off; qmp: device_del" }),
  })
  .meta({ description: 'unplugs a device', examples: [{ device: 'mem0', via: 'qmp' }] });

export const hotRemove = defineStep({
  schema: hotRemoveBody,
  honours: OF_LINES,
  title: ({ device, via }) => `unplug ${device} by ${via === 'qmp' ? 'QMP' : "the slot's power"}`,
  faults: ({ device }, known) => unknownDevice(device, ['device'], known, 'of QEMU'),
  run: unplug,
});

function faultsOfHotAdd(body: z.output<typeof hotAddBody>, { plan }: CaseKnowledge): Fault[] {
  if (!plan) return [];
  const sizes = { volatile: body.volatile, persistent: body.persistent, labels: body.labels };
  const bytes = Object.entries(sizes).flatMap(([key, size]) => {
    const value = typeof size === 'string' ? parseSize(size) : size;
    return value === undefined ? [] : [[key, value] as const];
  });
  // a size that is a capture is known only later
  const open = Object.values(sizes).some((size) => typeof size === 'string' && size.includes('${'));
  if (open || body.port.includes('${')) return [];
  try {
    const { id, port, serial } = body;
    planHotDevice({ id, port, serial, ...Object.fromEntries(bytes) }, plan);
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return [
      { path: [], message: error.message, ...(error.remedy === undefined ? {} : { hint: error.remedy }) },
    ];
  }
}

/** Plugs a device in and waits for its memdev with an endpoint. */
async function plugIn(body: z.output<typeof hotAddBody>, scope: StepScope): Promise<void> {
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
async function unplug(body: z.output<typeof hotRemoveBody>, scope: StepScope): Promise<void> {
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
