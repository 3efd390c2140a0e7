import { z } from 'zod';
import { notARegion, unknownDevice, type CaseKnowledge, type Fault } from '../case-knowledge.js';
import { captureName, duration, text, thing } from '../scalars.js';
import { defineStep, WAITS } from './definition.js';

const captureBody = z
  .strictObject({
    as: captureName,
    'dax-of': thing.optional().meta({ description: 'a dax device of the region' }),
    'region-of': text.optional().meta({ description: 'the region that a topology device is part of' }),
    'memdev-of': text.optional().meta({ description: "a topology device's memN" }),
    'endpoint-decoder-of': text
      .optional()
      .meta({ description: "a topology device's first endpoint decoder with no DPA" }),
    'pci-of': text.optional().meta({ description: 'the PCI address of a topology device: 0000:0d:00.0' }),
    'node-of': thing.optional().meta({ description: 'the NUMA node of the region' }),
    'namespace-of': thing.optional().meta({ description: 'a namespace that the region backs' }),
    'block-of': thing.optional().meta({ description: 'the number of a memory block of the region' }),
    index: z.number().int().nonnegative().optional().meta({ description: 'which of several, from 0' }),
    within: duration.optional().meta({ description: 'waits so long for it to appear' }),
  })
  .meta({
    description: 'gives a name to something the kernel made',
    examples: [{ as: 'd', 'dax-of': 'r' }],
  });

export const capture = defineStep({
  schema: captureBody,
  honours: [],
  instead: { timeout: WAITS },
  captures: true,
  title: (body) => {
    const [what, of] = Object.entries(body).find(([key]) => key.endsWith('-of')) ?? ['', ''];
    return `capture ${body.as}: the ${what.replace(/-of$/, '').replaceAll('-', ' ')} of ${String(of)}`;
  },
  faults: faultsOfCapture,
});

const OF_REGION = ['dax-of', 'node-of', 'namespace-of', 'block-of'] as const;
const OF_DEVICE = ['region-of', 'memdev-of', 'pci-of', 'endpoint-decoder-of'] as const;

function faultsOfCapture(body: z.output<typeof captureBody>, known: CaseKnowledge): Fault[] {
  const [first, second] = [...OF_REGION, ...OF_DEVICE].filter((key) => body[key] !== undefined);
  if (first === undefined) {
    return [{ path: [], message: `what is captured? one of: ${[...OF_REGION, ...OF_DEVICE].join(', ')}` }];
  }
  if (second !== undefined) {
    return [
      { path: [second], part: 'key', message: `one capture takes one thing: ${first} is here already` },
    ];
  }
  return [
    ...OF_REGION.filter((key) => key !== 'node-of').flatMap((key) => notARegion(body[key], [key], known)),
    ...OF_DEVICE.flatMap((key) => unknownDevice(body[key] ?? '${}', [key], known)),
  ];
}
