import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { differencesOf, diffStates } from './diff.js';
import { walkIomem } from './iomem.js';
import { leftoversAcrossKexec, leftoversOf } from './leftovers.js';
import { withNormalNames } from './normal-names.js';
import { parseState } from './parse-state.js';
import type { State } from './state.js';

/** What the script printed in guests with three memdevs (serials 1 to 3, the third with persistent memory). */
const printed = (name: string): string =>
  readFileSync(new URL(`./fixtures/state-${name}.txt`, import.meta.url), 'utf8');

const boot = parseState(printed('7.3-boot'));
const online = parseState(printed('7.3-region-online'));

describe('the state of a guest with a region whose memory is online', () => {
  test('has memdevs by serial number, with their endpoints', () => {
    expect(online.memdevs['mem0']).toEqual({
      serial: 1,
      ramBytes: 512 * 2 ** 20,
      pmemBytes: 0,
      numaNode: -1,
      pciAddress: '0000:0d:00.0',
      endpoint: 'endpoint2',
    });
    expect(online.memdevs['mem1']?.pmemBytes).toBe(256 * 2 ** 20);
  });

  test('has the region with its driver and targets', () => {
    expect(online.regions).toEqual({
      region0: {
        rootDecoder: 'decoder0.0',
        mode: 'ram',
        start: 0x5d0000000,
        size: 0x20000000,
        interleaveWays: 1,
        interleaveGranularity: 256,
        committed: true,
        driver: 'cxl_region',
        targets: ['decoder2.0'],
      },
    });
  });

  test('has the endpoint decoder with its DPA and its memdev', () => {
    expect(online.decoders['decoder2.0']).toMatchObject({
      kind: 'endpoint',
      port: 'endpoint2',
      memdev: 'mem0',
      region: 'region0',
      mode: 'ram',
      dpaStart: 0,
      dpaSize: 0x20000000,
    });
    expect(boot.decoders['decoder2.0']).not.toHaveProperty('dpaStart');
  });

  test('has the dax device, its node in /dev and its memory', () => {
    expect(online.daxDevices['dax0.0']).toMatchObject({
      driver: 'kmem',
      size: 0x20000000,
      targetNode: 1,
      state: 'online_movable',
      region: 'region0',
    });
    expect(online.deviceNodes).toEqual(['dax0.0']);
    expect(online.memoryBlocks[186]).toEqual({
      state: 'online',
      zones: ['Movable'],
      node: 1,
      physAddress: 0x5d0000000,
    });
    expect(online.nodes[1]).toEqual({
      online: true,
      hasMemory: true,
      hasCpu: false,
      memoryBytes: 512 * 2 ** 20,
    });
  });

  test('has the nodes of dax devices in /dev, whatever drives the devices', () => {
    const devdax = parseState(printed('7.3-device-dax'));
    expect(devdax.daxDevices['dax0.0']).toMatchObject({ driver: 'device_dax' });
    expect(devdax.deviceNodes).toEqual(['dax0.0']);
    expect(online.deviceNodes).toEqual(['dax0.0']);
  });

  test('has iomem as a tree', () => {
    const paths = walkIomem(online.iomem).map(({ path }) => path.join('/'));
    expect(paths).toContain('CXL Window 0/region0/dax0.0/System RAM (kmem)');
  });

  test('tells bound devices from unbound ones', () => {
    expect(online.bindings.dax).toEqual({ 'dax0.0': 'kmem' });
    expect(online.bindings.cxl['decoder0.0']).toBeNull();
    expect(online.drivers.cxl).toContain('cxl_region');
  });
});

describe('on 6.12, which lacks some attributes', () => {
  const older = parseState(printed('6.12-region-online'));

  test('an absent attribute is absent', () => {
    expect(older.daxDevices['dax0.0']).toMatchObject({ driver: 'kmem', region: 'region0' });
    expect(older.daxDevices['dax0.0']).not.toHaveProperty('state');
  });

  test('everything else is as on a newer kernel', () => {
    expect(withNormalNames(older).regions).toEqual(withNormalNames(online).regions);
    expect(Object.values(older.memdevs).map(({ serial }) => serial)).toEqual(
      expect.arrayContaining([1, 2, 3]),
    );
    const memory = Object.values(older.memoryBlocks).filter(({ node }) => node === 1);
    expect(memory.map(({ state, zones }) => [state, ...zones])).toEqual(Array(4).fill(['online', 'Movable']));
  });
});

test('devices that vanish while they are read are left out', () => {
  const torn = printed('7.3-region-online')
    .split('\n')
    .filter((line) => !/region0\/(size|mode)|mem1\/serial|dax0\.0\/size/.test(line))
    .join('\n');
  const state = parseState(torn);
  expect(Object.keys(state.regions)).toEqual([]);
  expect(Object.keys(state.memdevs)).toEqual(['mem0', 'mem2']);
  expect(state.daxDevices).toEqual({});
});

test('nothing at all is a state with nothing in it', () => {
  expect(parseState('').regions).toEqual({});
});

describe('the difference of two states', () => {
  test('leads from the one to the other', () => {
    const changed = structuredClone(boot) as unknown as Record<string, unknown>;
    for (const { keys, after } of diffStates(boot, online)) {
      let inner = changed;
      for (const key of keys.slice(0, -1)) inner = (inner[key] ??= {}) as Record<string, unknown>;
      const last = keys.at(-1) ?? '';
      if (after === undefined) Reflect.deleteProperty(inner, last);
      else inner[last] = after;
    }
    expect(changed).toEqual(online);
  });

  test('names what came, and nothing that moves by itself', () => {
    const paths = diffStates(boot, online).map(({ path }) => path);
    expect(paths).toContain('regions.region0');
    expect(paths).toContain('memoryBlocks.186');
    expect(paths).toContain('nodes.1');
    expect(paths.filter((path) => path.startsWith('nodes.0'))).toEqual([]);
  });

  test('leaves out what is to be ignored', () => {
    const paths = differencesOf(boot, online, ['memoryBlocks', 'bindings.*.*', 'iomem.CXL Window 0**']).map(
      ({ path }) => path,
    );
    expect(paths).toContain('regions.region0');
    expect(paths.some((path) => /^(memoryBlocks|bindings|iomem)/.test(path))).toBe(false);
  });
});

describe('normal names', () => {
  test('do not depend on the numbers that the kernel gave', () => {
    const renumbered = printed('7.3-region-online')
      .replace(/\bmem0\b/g, 'mem9')
      .replace(/\bendpoint2\b/g, 'endpoint7')
      .replace(/\bdecoder3\./g, 'decoder7.')
      .replace(/\b(dax_)?region0\b/g, '$1region4')
      .replace(/\bdax0\.0\b/g, 'dax4.0');
    const other = parseState(renumbered);
    expect(diffStates(online, other)).not.toEqual([]);
    expect(diffStates(withNormalNames(online), withNormalNames(other))).toEqual([]);
  });
});

describe('leftovers', () => {
  test('of a region that is still there are the region and all that hangs on it', () => {
    const paths = leftoversOf(boot, online).map(({ path }) => path);
    expect(paths).toContain('regions.region-ram@1');
    expect(paths).toContain('nodes.1');
  });

  test('are none when only a module more is loaded, and some when one is missing', () => {
    const without = { ...boot, modules: boot.modules.filter((name) => name !== 'kmem') };
    expect(leftoversOf(without, boot)).toEqual([]);
    expect(leftoversOf(boot, without).map(({ path }) => path)).toEqual(['modules.kmem']);
  });

  test('do not count what an unused decoder still holds', () => {
    const { 'decoder1.0': decoder, ...decoders } = boot.decoders;
    if (!decoder) throw new Error('the fixture has no decoder1.0');
    const stale = { ...decoder, start: 0x5d0000000, size: 0x20000000 };
    expect(leftoversOf(boot, { ...boot, decoders: { ...decoders, 'decoder1.0': stale } })).toEqual([]);
  });

  test('across a kexec are of the memory of a node by whole blocks: less is what the kernel was given', () => {
    const { 0: node } = boot.nodes;
    if (!node) throw new Error('the fixture has no node 0');
    const less = (bytes: number): State => ({
      ...boot,
      nodes: { ...boot.nodes, 0: { ...node, memoryBytes: node.memoryBytes - bytes } },
    });
    const paths = ['nodes.0.memoryBytes'];
    expect(leftoversAcrossKexec(boot, less(8192))).toEqual([]);
    expect(leftoversAcrossKexec(boot, less(boot.memoryBlockBytes)).map(({ path }) => path)).toEqual(paths);
    expect(leftoversOf(boot, less(8192)).map(({ path }) => path)).toEqual(paths);
  });
});
