import { z } from 'zod';
import { writeLine } from '../../abi/index.js';
import { unknownDevice } from '../load/case-knowledge.js';
import { text } from '../language/scalars.js';
import { Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { memdevWithSerial } from '../steps/select.js';
import { OF_LINES, defineStep } from './definition.js';

const schema = z
  .strictObject({
    device: text.meta({ description: 'topology device id' }),
    method: z
      .enum(['flr', 'bus', 'cxl_bus', 'pm'])
      .optional()
      .meta({ description: 'one of its `reset_method`; absent: the first that the kernel finds' }),
  })
  .meta({
    description: 'resets a PCI device by its `reset` attribute: it forgets its decoders',
    examples: [{ device: 'mem0', method: 'bus' }],
  });

export const pciReset = defineStep({
  schema,
  honours: OF_LINES,
  title: ({ device, method }) => `reset ${device}${method === undefined ? '' : ` by ${method}`}`,
  faults: ({ device }, known) => unknownDevice(device, ['device'], known, 'of QEMU'),
  run: reset,
});

async function reset({ device, method }: z.output<typeof schema>, scope: StepScope): Promise<void> {
  const { serial } = scope.qemuDevice(device, ['device']);
  const state = await scope.current();
  const address = state.memdevs[memdevWithSerial(serial, state) ?? '']?.pciAddress;
  if (address === undefined)
    throw new Unmet({
      message: `${device} has no memdev, so there is nothing to tell its PCI address by`,
      path: ['device'],
      subject: '/sys/bus/cxl/devices/mem*/serial',
      expected: serial,
      received: Object.values(state.memdevs).map((memdev) => memdev.serial),
    });
  const files = `/sys/bus/pci/devices/${address}`;
  await scope.type(
    ...(method === undefined ? [] : [writeLine(`${files}/reset_method`, method)]),
    writeLine(`${files}/reset`, '1'),
  );
}
