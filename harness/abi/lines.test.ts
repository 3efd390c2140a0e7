import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { denyModuleLines, driverLine, toolLine, writeLine } from './lines.js';
import { quote } from '../base/sh-quote.js';
import { createRegionLines, destroyRegionLines, type RegionProgram } from './region-lines.js';

const text = (lines: readonly { readonly text: string }[]): string[] => lines.map((line) => line.text);

test('a shell reads every quoted word back unchanged', () => {
  const word = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 30, maxLength: 30 }), (words) => {
      const script = `printf '%s\\0' ${words.map(quote).join(' ')}`;
      const read = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0');
      expect(read.slice(0, -1)).toEqual(words);
    }),
    { numRuns: 10 },
  );
});

describe('a write', () => {
  test('is what a person would type', () => {
    expect(writeLine('/sys/bus/cxl/devices/region0/commit', '1').text).toBe(
      'echo 1 > /sys/bus/cxl/devices/region0/commit',
    );
    expect(driverLine('dax', 'kmem', 'unbind', 'dax0.0').text).toBe(
      'echo dax0.0 > /sys/bus/dax/drivers/kmem/unbind',
    );
  });

  test.each(['', '-n', '-1', 'a\\nb', "it's", '$HOME', 'two words', '`id`'])(
    'writes %j and a newline, whatever echo thinks of it',
    (value) => {
      const line = `{ ${writeLine('/dev/stdout', value).text}; } | cat`;
      const written = execFileSync('sh', ['-c', line], { encoding: 'utf8' });
      expect(written).toBe(`${value}\n`);
    },
  );
});

test('arguments of a tool as a list reach it as they are', () => {
  expect(toolLine('cxl', ['list', '-m', 'a b']).text).toBe("cxl list -m 'a b'");
  expect(toolLine('cxl', 'list -M | head').text).toBe('cxl list -M | head');
});

test('a denied module is one that modprobe installs by failing', () => {
  expect(text(denyModuleLines('kmem'))).toEqual([
    'mkdir -p /etc/modprobe.d',
    "echo 'install kmem /bin/false' > /etc/modprobe.d/deny-kmem.conf",
  ]);
});

describe('a region', () => {
  const program: RegionProgram = {
    mode: 'ram',
    rootDecoder: 'decoder0.0',
    granularity: 256,
    ways: 2,
    size: 0x20000000,
    targets: [
      { decoder: 'decoder3.0', dpaSize: 0x10000000 },
      { decoder: 'decoder4.0', dpaSize: 0x10000000 },
    ],
  };

  test('is created in the order that the ABI demands', () => {
    expect(text(createRegionLines('region0', program))).toEqual([
      'echo region0 > /sys/bus/cxl/devices/decoder0.0/create_ram_region',
      'echo 256 > /sys/bus/cxl/devices/region0/interleave_granularity',
      'echo 2 > /sys/bus/cxl/devices/region0/interleave_ways',
      'echo ram > /sys/bus/cxl/devices/decoder3.0/mode',
      'echo 0x10000000 > /sys/bus/cxl/devices/decoder3.0/dpa_size',
      'echo ram > /sys/bus/cxl/devices/decoder4.0/mode',
      'echo 0x10000000 > /sys/bus/cxl/devices/decoder4.0/dpa_size',
      'echo 0x20000000 > /sys/bus/cxl/devices/region0/size',
      'echo decoder3.0 > /sys/bus/cxl/devices/region0/target0',
      'echo decoder4.0 > /sys/bus/cxl/devices/region0/target1',
      'echo 1 > /sys/bus/cxl/devices/region0/commit',
    ]);
  });

  test('of persistent memory gets its uuid first', () => {
    const lines = text(createRegionLines('region0', { ...program, mode: 'pmem', uuid: 'u-u' }, 'uuid'));
    expect(lines).toEqual([
      'echo region0 > /sys/bus/cxl/devices/decoder0.0/create_pmem_region',
      'echo u-u > /sys/bus/cxl/devices/region0/uuid',
    ]);
  });

  test('is taken down in reverse, its DPA last', () => {
    const region = { name: 'region0', rootDecoder: 'decoder0.0', driver: 'cxl_region', committed: true };
    expect(text(destroyRegionLines({ region, decoders: ['decoder3.0', 'decoder4.0'] }))).toEqual([
      'echo region0 > /sys/bus/cxl/drivers/cxl_region/unbind',
      'echo 0 > /sys/bus/cxl/devices/region0/commit',
      'echo region0 > /sys/bus/cxl/devices/decoder0.0/delete_region',
      'echo 0 > /sys/bus/cxl/devices/decoder4.0/dpa_size',
      'echo 0 > /sys/bus/cxl/devices/decoder3.0/dpa_size',
    ]);
  });
});
