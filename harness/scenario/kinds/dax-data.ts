import { z } from 'zod';
import { parseSize } from '../../base/size.js';
import type { Fault } from '../case-knowledge.js';
import { deviceName, size } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';
import { sizeOf } from './words.js';

const pattern = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,30}$/,
    'not the name of a pattern: lower-case letters, digits and -, a letter first',
  );

const body = z
  .strictObject({
    of: deviceName.meta({ description: 'the dax device' }),
    offset: size.default(0).meta({ description: 'from its beginning' }),
    length: size.default('4K').meta({ description: '64K at most, within 2M of the device' }),
    put: pattern.optional().meta({ description: 'writes the pattern of this name' }),
    holds: pattern.optional().meta({ description: 'the pattern of this name must be there' }),
  })
  .meta({
    description: 'writes a pattern to a dax device, or reads it, by mmap of /dev/daxX.Y',
    examples: [{ of: 'r.dax', offset: '2M', put: 'red' }],
  });

export const daxData = defineStep({
  schema: body,
  honours: OF_LINES,
  title: ({ of, offset, put, holds }) =>
    put === undefined
      ? `find the pattern ${holds ?? ''} at ${sizeOf(offset)} of ${of}`
      : `put the pattern ${put} at ${sizeOf(offset)} of ${of}`,
  faults: ({ put, holds, length, offset }): Fault[] => {
    if ((put === undefined) === (holds === undefined))
      return [{ path: [], message: 'a pattern is put or looked for: one of `put`, `holds`' }];
    const [bytes, at] = [length, offset].map((value) =>
      typeof value === 'string' ? parseSize(value) : value,
    );
    if (bytes === undefined || at === undefined) return [];
    if (bytes === 0 || bytes > MOST_BYTES)
      return [{ path: ['length'], message: 'a pattern has 64K at most, and a byte at least' }];
    if (Math.floor(at / MAPPED_BYTES) === Math.floor((at + bytes - 1) / MAPPED_BYTES)) return [];
    return [
      { path: ['length'], message: 'a pattern lies within 2M of the device: a multiple of 2M is in the way' },
    ];
  },
});

const MOST_BYTES = 64 * 2 ** 10;
/** What is mapped at once: a huge page, as devices of less can't be mapped. */
const MAPPED_BYTES = 2 * 2 ** 20;
