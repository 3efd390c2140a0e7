import { z } from 'zod';
import { type MemoryBlock, memoryBlockLine } from '../../abi/index.js';
import { notARegion } from '../load/case-knowledge.js';
import { hotplugPolicy } from '../clauses/words.js';
import { count, reference, thing } from '../language/scalars.js';
import { NothingToDo, Unmet } from '../steps/outcome.js';
import type { StepScope } from '../steps/scope.js';
import { allBlocks, blocksWithin } from '../steps/select.js';
import { toCount } from '../steps/values.js';
import { OF_LINES, defineStep } from './definition.js';

const schema = z
  .strictObject({
    of: thing.optional().meta({ description: 'the region whose blocks are meant' }),
    block: count.optional().meta({ description: 'memory<block>' }),
    index: count.optional().meta({ description: 'the nth block of the region, from 0; all when absent' }),
    state: z.union([hotplugPolicy, reference]),
  })
  .meta({
    description: "writes memory blocks' state",
    examples: [{ of: 'r', index: 0, state: 'offline' }],
  });

export const memoryBlock = defineStep({
  schema,
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
  run: writeStates,
});

/**
 * Writes the state of one block, of the nth of a region, or of all of a region. Of all, those that are in the state
 * already are left alone: the kernel answers EINVAL to a write that changes nothing.
 */
async function writeStates(body: z.output<typeof schema>, scope: StepScope): Promise<void> {
  if (body.block !== undefined) {
    await scope.type(memoryBlockLine(toCount(body.block, ['block']), body.state));
    return;
  }
  await scope.current();
  const blocks = blocksOf(body, scope);
  if (body.index !== undefined) {
    const index = toCount(body.index, ['index']);
    const [block] = blocks[index] ?? [];
    if (block === undefined)
      throw noBlock(`${body.of ?? 'the guest'} has no memory block of index ${index}`, body, blocks.length);
    await scope.type(memoryBlockLine(block, body.state));
    return;
  }
  const wanted = body.state.startsWith('online') ? 'online' : body.state;
  const others = blocks.filter(([, { state }]) => state !== wanted);
  if (others.length === 0 && scope.isCleanup)
    throw new NothingToDo(`no memory block is left to be set ${body.state}`);
  if (blocks.length === 0) throw noBlock(`no memory block lies in ${body.of ?? 'the guest'}`, body, 0);
  await scope.type(...others.map(([block]) => memoryBlockLine(block, body.state)));
}

function blocksOf({ of }: z.output<typeof schema>, scope: StepScope): [number, MemoryBlock][] {
  if (of === undefined) return allBlocks(scope.state());
  const range = scope.session.ranges.get(of);
  return range ? blocksWithin(range, scope.state()) : [];
}

function noBlock(message: string, { index }: z.output<typeof schema>, received: number): Unmet {
  return new Unmet({
    message,
    path: index === undefined ? ['of'] : ['index'],
    subject: '/sys/devices/system/memory',
    expected: 'a memory block',
    received: `${received} memory blocks`,
  });
}
