import { test } from 'cxlrig/vitest';
import { expect } from 'vitest';

/** The same walk for the same seed: a walk that failed can be walked again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

test.use({ topology: 'one-volatile' });

// what YAML can't say: a walk by chance, held against a model after every step
test.for([1, 2])(
  'memory blocks follow their model on the random walk %d',
  async (seed, { guest, cxl, expectState }) => {
    const random = randomNumbers(seed);
    await guest.set('/sys/devices/system/memory/auto_online_blocks', 'offline');
    const region = await cxl.createRegion({ targets: ['mem0'], size: '512M', bind: 'cxl_region' });
    await expectState({ memory: { of: region, count: 4, state: 'offline' } });
    const isOnline = [false, false, false, false];
    for (let step = 0; step < 20; step += 1) {
      const index = random(isOnline.length);
      const online = random(2) === 1;
      // a block that is already what it is asked to be: EINVAL, by drivers/base/memory.c:state_store()
      const refused = isOnline[index] === online;
      await guest.step({
        'memory-block': { of: region, index, state: online ? 'online_movable' : 'offline' },
        ...(refused && { fails: 'EINVAL' }),
      });
      isOnline[index] = online;
      const { regions, memoryBlocks } = guest.state();
      const { start = 0, size = 0 } = regions[region.name] ?? {};
      const states = Object.values(memoryBlocks)
        .filter(({ physAddress }) => physAddress >= start && physAddress < start + size)
        .map(({ state }) => state);
      expect(states, `after step ${step}`).toEqual(isOnline.map((is) => (is ? 'online' : 'offline')));
    }
    for (const [index, is] of isOnline.entries())
      if (is) await guest.step({ 'memory-block': { of: region, index, state: 'offline' } });
  },
);
