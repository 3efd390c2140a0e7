import { memoryBlockLine, type MemoryBlock } from '../../abi/index.js';
import type { StepBody } from '../language.js';
import { NothingToDo, Unmet } from './outcome.js';
import type { StepScope } from './scope.js';
import { allBlocks, blocksWithin } from './select.js';
import { toCount } from './values.js';

/**
 * Writes the state of one block, of the nth of a region, or of all of a region. Of all, those that are in the state
 * already are left alone: the kernel answers EINVAL to a write that changes nothing.
 */
export async function memoryBlock(body: StepBody<'memory-block'>, scope: StepScope): Promise<void> {
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

function blocksOf({ of }: StepBody<'memory-block'>, scope: StepScope): [number, MemoryBlock][] {
  if (of === undefined) return allBlocks(scope.state());
  const range = scope.session.ranges.get(of);
  return range ? blocksWithin(range, scope.state()) : [];
}

function noBlock(message: string, { index }: StepBody<'memory-block'>, received: number): Unmet {
  return new Unmet({
    message,
    path: index === undefined ? ['of'] : ['index'],
    subject: '/sys/devices/system/memory',
    expected: 'a memory block',
    received: `${received} memory blocks`,
  });
}
