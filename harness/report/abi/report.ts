import { z } from 'zod';

/** What `cxlrig abi --format json` prints: the attributes that a kernel offers, described for other tools. */

export const ABI_VERSION = 1;

const attribute = z
  .looseObject({
    path: z.string().meta({ description: 'with letters for numbers: /sys/bus/cxl/devices/decoderX.Y/mode' }),
    modes: z
      .array(z.string())
      .meta({ description: 'permissions in octal, or link; several where devices of one name differ' }),
    on: z
      .array(z.string())
      .meta({ description: 'types of the devices that have it, where the bus has types' }),
    example: z.looseObject({
      path: z.string(),
      value: z.string().exactOptional().meta({ description: 'the first line' }),
      errno: z.string().exactOptional().meta({ description: 'why it could not be read' }),
    }),
    documented: z.string().exactOptional().meta({
      description: 'file below Documentation/ABI; absent: none has it, or there was no documentation',
    }),
  })
  .meta({ id: 'attribute' });

export const abiReportSchema = z
  .looseObject({
    version: z.literal(ABI_VERSION),
    kernel: z.looseObject({
      profile: z.string(),
      release: z.string(),
      id: z.string(),
      origin: z.string(),
    }),
    topology: z.string(),
    moments: z.array(z.string()).meta({ description: 'when the attributes were listed' }),
    notReached: z
      .array(z.string())
      .meta({ description: 'what was tried in vain: attributes may be missing for it' }),
    documentation: z.union([
      z.looseObject({ of: z.string().meta({ description: 'the sources whose Documentation/ABI was read' }) }),
      z.looseObject({ missing: z.string().meta({ description: 'why there is none' }) }),
    ]),
    attributes: z.array(attribute),
  })
  .meta({
    title: 'inventory of cxlrig abi',
    description: 'sysfs attributes of the cxl, dax, nd and memory buses',
  });

export type AbiReport = z.infer<typeof abiReportSchema>;
export type ReportedAttribute = AbiReport['attributes'][number];

/** JSON Schema of `cxlrig abi --format json`. */
export function abiJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(abiReportSchema, { target: 'draft-7', unrepresentable: 'any' });
}
