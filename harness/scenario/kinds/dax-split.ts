import { z } from 'zod';
import { writeLine } from '../../abi/index.js';
import { captureName, deviceName, size } from '../language/scalars.js';
import { Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { toBytes } from '../steps/values.js';
import { OF_LINES, defineStep } from './definition.js';
import { sizeOf } from './words.js';

const schema = z
  .strictObject({
    of: deviceName.meta({ description: 'a dax device of the region, which nothing drives' }),
    keep: size.optional().meta({ description: 'what is left to it; absent: all that it has' }),
    size: size.meta({ description: 'of the new device, of what is free of the region then' }),
    as: captureName.optional().meta({ description: 'names the new device in the steps after it' }),
  })
  .meta({
    description: 'makes another dax device beside one, of what that gives up or of what is free',
    examples: [{ of: 'r.dax', keep: '256M', size: '256M', as: 'second' }],
  });

export const daxSplit = defineStep({
  schema,
  honours: OF_LINES,
  captures: true,
  title: ({ of, keep, size: bytes }) =>
    `a dax device of ${sizeOf(bytes)} beside ${of}${keep === undefined ? '' : `, which keeps ${sizeOf(keep)}`}`,
  run: split,
});

async function split(
  { of, keep, size: asked, as }: z.output<typeof schema>,
  scope: StepScope,
): Promise<void> {
  const before = (await scope.current()).daxDevices;
  const device = `/sys/bus/dax/devices/${of}`;
  await scope.type(
    ...(keep === undefined ? [] : [writeLine(`${device}/size`, `${toBytes(keep, ['keep'])}`)]),
    writeLine(`${device}/../dax_region/create`, '1'),
  );
  const [made] = Object.keys((await scope.look()).daxDevices).filter((name) => !(name in before));
  if (made === undefined)
    throw new Unmet({
      message: `the write to dax_region/create succeeded, and no dax device came beside ${of}`,
      path: ['of'],
      subject: `${device}/../dax_region/create`,
      expected: 'one more dax device',
      received: Object.keys(before),
    });
  await scope.type(writeLine(`/sys/bus/dax/devices/${made}/size`, `${toBytes(asked, ['size'])}`));
  scope.capture(as, { kind: 'value', value: made });
}
