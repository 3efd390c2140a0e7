import { z } from 'zod';
import { notARegion } from '../case-knowledge.js';
import { hotplugPolicy } from '../clauses/words.js';
import { count, reference, thing } from '../scalars.js';
import { defineStep, OF_LINES } from './definition.js';

export const memoryBlock = defineStep({
  schema: z
    .strictObject({
      of: thing.optional().meta({ description: 'the region whose blocks are meant' }),
      block: count.optional().meta({ description: 'memory<block>' }),
      index: count.optional().meta({ description: 'the nth block of the region, from 0; all when absent' }),
      state: z.union([hotplugPolicy, reference]),
    })
    .meta({
      description: "writes memory blocks' state",
      examples: [{ of: 'r', index: 0, state: 'offline' }],
    }),
  honours: OF_LINES,
  title: ({ of, block, index, state }) => {
    const which =
      block !== undefined
        ? `memory${block}`
        : index !== undefined
          ? `memory block ${index} of ${of ?? 'all'}`
          : `the memory blocks of ${of ?? 'all'}`;
    return `set ${which} ${state}`;
  },
  faults: ({ of, block, index }, known) => {
    if (of !== undefined && block !== undefined) {
      return [
        { path: ['block'], message: 'a block is named by its number or as one `of` a region, not both' },
      ];
    }
    if (of === undefined && block === undefined) {
      return [{ path: [], message: 'which blocks? name a region by `of`, or one block by `block`' }];
    }
    return index !== undefined && of === undefined
      ? [{ path: ['index'], message: '`index` counts the blocks of a region: it needs `of`' }]
      : notARegion(of, ['of'], known);
  },
});
