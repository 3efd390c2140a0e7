import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { loadTopology } from '../load.js';
import { nearestTopology, type Nearest } from './nearest.js';
import { readReport } from './read-report.js';

async function nearestTo(...fixtures: string[]): Promise<Nearest> {
  const texts = fixtures.map(async (name) => ({
    name,
    text: await readFile(new URL(`fixtures/${name}`, import.meta.url), 'utf8'),
  }));
  return nearestTopology(readReport(await Promise.all(texts)));
}

function nearestToText(text: string): Nearest {
  return nearestTopology(readReport([{ name: 'report', text }]));
}

describe('cxl list of a guest', () => {
  test('gives the topology of the guest back: bridges, switches, devices, windows', async () => {
    const { topology, notes } = await nearestTo('two-bridges-two-switches.json');
    const own = await loadTopology('two-bridges-two-switches');
    expect(notes).toEqual([]);
    expect(topology.bridges.map(({ ports }) => ports.length)).toEqual([2, 2]);
    expect(topology.switches.map(({ ports }) => ports.length)).toEqual([2, 2, 2, 2]);
    const sizes = new Map(topology.devices.map(({ serial, volatile }) => [serial, volatile]));
    expect(sizes).toEqual(new Map(own.devices.map(({ serial }) => [serial, '256M'])));
    expect(topology.windows).toEqual([
      { id: 'window0', targets: ['hb0', 'hb1'], size: '8G' },
      { id: 'window1', targets: ['hb0'], size: '4G' },
      { id: 'window2', targets: ['hb1'], size: '4G' },
    ]);
  });

  test('gives its regions back, with the devices by position and alternating between the bridges', async () => {
    const { regions, topology } = await nearestTo('two-bridges-two-switches.json');
    const [region] = regions;
    expect(regions).toHaveLength(1);
    expect(region).toMatchObject({ window: 'window0', size: 2 * 2 ** 30, granularity: 256 });
    const bridgeOf = (id: string): string | undefined => {
      const port = topology.devices.find((device) => device.id === id)?.port ?? '';
      const root = topology.switches.find(({ ports }) => ports.includes(port))?.port ?? port;
      return topology.bridges.find(({ ports }) => ports.includes(root))?.id;
    };
    expect(region?.targets.map(bridgeOf)).toEqual(['hb0', 'hb1', 'hb0', 'hb1', 'hb0', 'hb1', 'hb0', 'hb1']);
  });

  test('written for people (-u) means the same', () => {
    const { regions, topology } = nearestToText(`[
      { "memdev":"mem0", "ram_size":"512.00 MiB (536.87 MB)", "serial":"0x2", "host":"0000:0d:00.0" },
      { "region":"region4", "resource":"0x5d0000000", "size":"512.00 MiB (536.87 MB)", "type":"ram", "interleave_ways":1 }
    ]`);
    expect(topology.devices).toMatchObject([{ id: 'mem0', volatile: '512M', serial: 2 }]);
    expect(regions).toMatchObject([
      { targets: ['mem0'], size: 512 * 2 ** 20, observed: { name: 'region4' } },
    ]);
  });
});

describe('dmesg', () => {
  test('shows bridges, the switch, its ports and the devices below it; what it does not show is told', async () => {
    const { topology, notes } = await nearestTo('one-switch.dmesg');
    expect(topology.switches).toEqual([{ id: 'sw0', port: 'rp0', ports: ['sw0-dp0', 'sw0-dp1'] }]);
    expect(topology.devices.map(({ port }) => port)).toEqual(['sw0-dp0', 'sw0-dp1']);
    expect(notes).toContain('the report shows no window: one of 4G over each bridge');
    expect(notes).toContain('the report does not say how much memory at 0000:13:00.0 has: 256M, volatile');
  });
});

describe('a mail with several texts in it', () => {
  test('is put together: ports from lspci, kinds and sizes from cxl list, the window over both bridges', async () => {
    const { topology } = await nearestTo('uneven-bridges.mail');
    expect(topology.bridges).toEqual([
      { id: 'hb0', ports: ['rp2'] },
      { id: 'hb1', ports: ['rp0', 'rp1'] },
    ]);
    expect(topology.windows).toEqual([
      { id: 'window0', targets: ['hb0', 'hb1'], size: '8G', granularity: 8192 },
    ]);
    expect(topology.devices.map(({ id, port, persistent }) => [id, port, persistent])).toEqual([
      ['mem1', 'rp0', undefined],
      ['mem3', 'rp1', undefined],
      ['mem2', 'rp2', '1G'],
    ]);
  });

  test('has its sizes divided by one power of two, and says so', async () => {
    const { topology, notes } = await nearestTo('uneven-bridges.mail');
    expect(topology.devices.map(({ volatile, persistent }) => volatile ?? persistent)).toEqual([
      '2G',
      '2G',
      '1G',
    ]);
    expect(notes).toContain('all sizes are divided by 128, to multiples of 256M');
    expect(notes).toContain("decoder0.1 is not pmem capable: QEMU's windows take every kind of memory");
  });
});

describe('what QEMU cannot be', () => {
  test('a switch below a switch becomes one switch, and that is told', () => {
    const { topology, notes } = nearestToText(
      `-[0000:10]---00.0-[11]----00.0-[12]----00.0-[13]----00.0-[14]----00.0-[15]----00.0  CXL memory`,
    );
    expect(topology.switches).toEqual([{ id: 'sw0', port: 'rp0', ports: ['sw0-dp0'] }]);
    expect(notes.join('\n')).toContain('below more than one switch: QEMU routes through one level');
  });

  test('a text that shows nothing of a machine is refused by its name', () => {
    expect(() => readReport([{ name: 'letter.txt', text: 'it does not work' }])).toThrow(
      'letter.txt shows nothing of a CXL machine',
    );
  });

  test('a report without a memory device is refused, with what to add', () => {
    expect(() => readReport([{ name: 'a', text: '[ { "region":"region0", "size":268435456 } ]' }])).toThrow(
      'no CXL memory device',
    );
  });
});
