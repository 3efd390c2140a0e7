import { scenarios, test } from 'cxlrig/vitest';
import { describe, expect } from 'vitest';

const MIB = 2 ** 20;

describe('a volatile region', () => {
  test.use({ topology: 'one-volatile' });

  // what YAML can't say: sizes that depend on what the guest has
  test('of any size that the device has becomes as many memory blocks as fit', async ({
    guest,
    cxl,
    expectState,
  }) => {
    await guest.set('/sys/devices/system/memory/auto_online_blocks', 'offline');
    const [memdev] = Object.values(guest.state().memdevs);
    const block = Number.parseInt(await guest.read('/sys/devices/system/memory/block_size_bytes'), 16);
    const capacity = memdev?.ramBytes ?? 0;
    expect(capacity).toBeGreaterThanOrEqual(256 * MIB);
    for (let size = 256 * MIB; size <= capacity; size *= 2) {
      const region = await cxl.createRegion({ targets: ['mem0'], size, bind: 'cxl_region' });
      await expectState({
        region: { name: region, size, driver: 'cxl_region' },
        dax: { of: region, count: 1, size, driver: 'kmem' },
        memory: { of: region, count: size / block, state: 'offline' },
      });
      const { regions, memoryBlocks } = guest.state();
      const { start = 0 } = regions[region.name] ?? {};
      const inside = Object.values(memoryBlocks).filter(
        ({ physAddress }) => physAddress >= start && physAddress < start + size,
      );
      expect(inside).toHaveLength(size / block);
      await cxl.destroyRegion(region);
    }
  });
});

// cases in YAML, beside them in the same run and the same report
await scenarios('current/refuse-bind');
