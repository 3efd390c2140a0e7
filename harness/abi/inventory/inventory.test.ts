import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { diffInventories } from './diff.js';
import { mergeAttributes, parseInventory, type Attribute } from './inventory.js';
import { patternOf } from './pattern.js';
import { inventoryScript } from './script.js';

/** What inventoryScript printed in a guest with Debian's 7.3.4 on the topology `mixed`, right after boot. */
const stock = readFileSync(new URL('./testing/stock-after-boot.txt', import.meta.url), 'utf8');

function attribute(path: string, from: readonly Attribute[] = parseInventory(stock)): Attribute {
  const found = from.find((one) => one.path === path);
  if (!found) throw new Error(`there is no ${path}`);
  return found;
}

describe('the attributes of a real kernel', () => {
  test('are listed by pattern, with permissions, the types of devices and an example', () => {
    expect(attribute('/sys/bus/cxl/devices/decoderX.Y/create_ram_region')).toMatchObject({
      modes: ['644'],
      on: ['cxl_decoder_root'],
      example: { path: '/sys/bus/cxl/devices/decoder0.0/create_ram_region', value: 'region0' },
    });
    expect(attribute('/sys/bus/cxl/devices/decoderX.Y/size').on).toEqual([
      'cxl_decoder_endpoint',
      'cxl_decoder_root',
      'cxl_decoder_switch',
    ]);
    expect(attribute('/sys/bus/cxl/devices/decoderX.Y/dpa_size').on).toEqual(['cxl_decoder_endpoint']);
  });

  test('show what only may be written without a value', () => {
    expect(attribute('/sys/bus/cxl/flush')).toMatchObject({
      modes: ['200'],
      example: { path: '/sys/bus/cxl/flush' },
    });
  });

  test('have those of groups with their device, and links as links', () => {
    expect(attribute('/sys/bus/cxl/devices/memX/ram/size').example.value).toBe('0x20000000');
    expect(attribute('/sys/bus/cxl/devices/portX/uport').modes).toEqual(['link']);
    expect(attribute('/sys/bus/cxl/devices/portX/dportX').modes).toEqual(['link']);
  });

  test('have memory blocks where they are documented, and the files beside them', () => {
    expect(attribute('/sys/devices/system/memory/memoryX/state').modes).toEqual(['644']);
    expect(attribute('/sys/devices/system/memory/auto_online_blocks').modes).toEqual(['644']);
  });

  test('lack what every device of every bus has', () => {
    for (const { path } of parseInventory(stock))
      expect(path).not.toMatch(/\/(uevent|subsystem|driver|power)(\/|$)/);
  });

  test('are known by the paths from the devices above them, too', () => {
    expect(attribute('/sys/bus/nd/devices/nmemX/cxl/id').aliases).toContain(
      '/sys/bus/cxl/devices/nvdimm-bridge0/ndbus0/nmem0/cxl/id',
    );
  });
});

test('an attribute that cannot be read is listed with the errno', () => {
  const text = [
    'device bus/cxl/devices/region0 /sys/devices/platform/ACPI0017:00/root0/decoder0.0/region0',
    'mode bus/cxl/devices/region0/uuid 644',
    "error bus/cxl/devices/region0/uuid cat: can't open 'bus/cxl/devices/region0/uuid': No such device or address",
  ].join('\n');
  expect(attribute('/sys/bus/cxl/devices/regionX/uuid', parseInventory(text)).example.errno).toBe('ENXIO');
});

test('of several listings the example with a value is kept, and all permissions and types', () => {
  const one: Attribute = {
    path: '/a',
    modes: ['444'],
    on: ['x'],
    example: { path: '/a1', errno: 'ENXIO' },
    aliases: [],
  };
  const other: Attribute = {
    path: '/a',
    modes: ['644'],
    on: ['y'],
    example: { path: '/a2', value: '1' },
    aliases: [],
  };
  const empty: Attribute = {
    path: '/a',
    modes: ['644'],
    on: [],
    example: { path: '/a3', value: '' },
    aliases: [],
  };
  expect(mergeAttributes([one, other, empty])).toEqual([
    { path: '/a', modes: ['444', '644'], on: ['x', 'y'], example: { path: '/a2', value: '1' }, aliases: [] },
  ]);
});

test.each([
  ['/sys/bus/cxl/devices/decoder0.1/target_list', '/sys/bus/cxl/devices/decoderX.Y/target_list'],
  ['/sys/bus/cxl/devices/region12/target3', '/sys/bus/cxl/devices/regionX/targetX'],
  ['/sys/bus/dax/devices/dax0.0/mapping0/start', '/sys/bus/dax/devices/daxX.Y/mappingX/start'],
  ['/sys/bus/cxl/devices/region0/access0/read_latency', '/sys/bus/cxl/devices/regionX/accessX/read_latency'],
  ['/sys/bus/memory/devices/memory32/state', '/sys/devices/system/memory/memoryX/state'],
  ['/sys/bus/cxl/devices/nvdimm-bridge0/ndbus0', '/sys/bus/cxl/devices/nvdimm-bridgeX/ndbus0'],
  ['/sys/bus/cxl/drivers/cxl_mem/bind', '/sys/bus/cxl/drivers/cxl_mem/bind'],
  ['/sys/devices/system/memory/block_size_bytes', '/sys/devices/system/memory/block_size_bytes'],
])('%s goes by %s', (path, pattern) => {
  expect(patternOf(path)).toBe(pattern);
});

test('two kernels differ by what came, what went, and permissions or types that changed', () => {
  const make = (path: string, modes: string[], on: string[] = []) => ({ path, modes, on });
  const diff = diffInventories(
    [make('/gone', ['444']), make('/same', ['444']), make('/mode', ['444']), make('/type', ['444'], ['x'])],
    [
      make('/same', ['444']),
      make('/mode', ['644']),
      make('/new', ['644']),
      make('/type', ['444'], ['x', 'y']),
    ],
  );
  expect(diff.added.map(({ path }) => path)).toEqual(['/new']);
  expect(diff.removed.map(({ path }) => path)).toEqual(['/gone']);
  expect(diff.changed.map(({ after }) => after.path)).toEqual(['/mode', '/type']);
});

test('the script writes to no file', () => {
  const redirections = inventoryScript().match(/[0-9]?>+\s*&?[^\s;)|]+/g) ?? [];
  expect(new Set(redirections)).toEqual(new Set(['2>&1', '>/dev/null', '2>/dev/null']));
  expect(inventoryScript()).toContain('*/wait_probe');
});
