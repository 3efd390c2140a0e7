import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { writeLine } from '../../abi/index.js';
import { parseDuration } from '../language/duration.js';
import { duration } from '../language/scalars.js';
import { onThisKernel } from '../steps/context.js';
import { giveCommand } from '../steps/give-command.js';
import { Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { OF_LINES, defineStep } from './definition.js';

const schema = z
  .strictObject({
    for: duration
      .default('1s')
      .meta({ description: 'how long before the power button is pressed; default 1s' }),
  })
  .meta({
    description:
      'suspends to idle by /sys/power/state and wakes the machine by its power button. Suspend to RAM would lose the decoders, and the kernel does not offer it while a memdev is bound',
    examples: [{ for: '2s' }],
  });

export const suspend = defineStep({
  schema,
  honours: OF_LINES,
  title: ({ for: time }) => `suspend to idle for ${time}`,
  run: sleepAndWake,
});

/** Of all that can end a suspend to idle, what QEMU does and Debian's kernels hear: the ACPI event, once the driver is there. */
const BUTTON = '/sys/firmware/acpi/interrupts/ff_pwr_btn';
/** It does nothing while the kernel is still on its way to sleep, so it is pressed again. */
const PRESS_EVERY_MS = 2000;

async function sleepAndWake({ for: time }: z.output<typeof schema>, scope: StepScope): Promise<void> {
  const heard = await scope.ask(`modprobe -q button; grep -w enabled ${BUTTON}`);
  if (heard === '')
    throw new Unmet({
      message:
        'nothing could wake this kernel: it does not hear the power button (say `requires: [{ module: button }]`)',
      path: [],
      subject: BUTTON,
      expected: 'enabled',
      blame: 'scenario',
    });
  const back = scope.type(writeLine('/sys/power/state', 'freeze'));
  const isBack = back.then(
    () => true,
    () => true,
  );
  let pause = onThisKernel(scope.session.context, parseDuration(time) ?? 0);
  while (!(await Promise.race([isBack, sleep(pause).then(() => false)]))) {
    await giveCommand(scope, 'system_powerdown');
    pause = PRESS_EVERY_MS;
  }
  await back;
}
