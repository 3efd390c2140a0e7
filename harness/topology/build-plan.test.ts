import { describe, expect, it } from 'vitest';
import { DocumentError } from '../base/document/document.js';
import { planTopology } from './build-plan.js';

const MIB = 2 ** 20;

/** A topology with `extra` keys put beside or instead of the ones of a sound one. */
function text(keys: Record<string, string> = {}): string {
  const all: Record<string, string> = {
    cxlrig: '1',
    description: 'a machine',
    bridges: '[{ id: hb0, ports: [rp0, rp1] }]',
    devices: '[{ id: mem0, volatile: 512M }]',
    windows: '[{ id: window0, targets: [hb0], size: 4G }]',
    ...keys,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

function plan(keys: Record<string, string> = {}) {
  return planTopology(text(keys), 'machine.yaml', 'machine');
}

function told(keys: Record<string, string>): string[] {
  try {
    plan(keys);
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    return error.diagnostics.map(
      ({ line, column, message, hint }) =>
        `${line}:${column} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
    );
  }
  return [];
}

/** The JSON of QEMU's option, by driver or id. */
function option(args: readonly string[], name: string, which: string): Record<string, unknown> | undefined {
  return args
    .flatMap((arg, n) => (arg === name ? [JSON.parse(args[n + 1] ?? '') as Record<string, unknown>] : []))
    .find(({ driver, id }) => driver === which || id === which);
}

describe('a plan', () => {
  it('plugs devices that name no port into the free ones, in the order of the file', () => {
    const { devices, freePorts } = plan({
      devices: '[{ id: a, volatile: 256M }, { id: b, port: rp0, volatile: 256M }]',
    });
    expect(devices.map(({ id, port }) => [id, port])).toEqual([
      ['a', 'rp1'],
      ['b', 'rp0'],
    ]);
    expect(freePorts).toEqual([]);
  });

  it('numbers serials from 1 around those that are given', () => {
    const { devices } = plan({
      bridges: '[{ id: hb0, ports: [a, b, c, d] }]',
      devices:
        '[{ id: k, volatile: 256M }, { id: l, volatile: 256M, serial: 2 }, { id: m, volatile: 256M }, { id: n, volatile: 256M, serial: 0xfeed }]',
    });
    expect(devices.map(({ serial }) => serial)).toEqual([1, 2, 3, 0xfeed]);
  });

  it('gives every device option to QEMU as JSON', () => {
    const { qemuArgs } = plan({
      devices: '[{ id: mem0, persistent: 256M, labels: 1M, volatile: 512M, serial: 7 }]',
    });
    expect(option(qemuArgs, '-device', 'cxl-type3')).toEqual({
      driver: 'cxl-type3',
      id: 'mem0',
      bus: 'rp0',
      sn: 7,
      'volatile-memdev': 'mem0-volatile',
      'persistent-memdev': 'mem0-persistent',
      lsa: 'mem0-labels',
    });
    expect(option(qemuArgs, '-object', 'mem0-labels')).toEqual({
      'qom-type': 'memory-backend-ram',
      id: 'mem0-labels',
      size: MIB,
    });
  });

  it('writes windows in one -M, as QEMU refuses them in several', () => {
    const { qemuArgs } = plan({
      bridges: '[{ id: hb0, ports: [rp0] }, { id: hb1, ports: [rp1] }]',
      windows:
        '[{ id: w0, targets: [hb0, hb1], size: 1G, granularity: 1024 }, { id: w1, targets: [hb1], size: 512M }]',
    });
    expect(qemuArgs.filter((arg) => arg.includes('fmw'))).toEqual([
      'cxl-fmw.0.targets.0=hb0,cxl-fmw.0.targets.1=hb1,cxl-fmw.0.size=1024M,cxl-fmw.0.interleave-granularity=1024,' +
        'cxl-fmw.1.targets.0=hb1,cxl-fmw.1.size=512M,cxl-fmw.1.interleave-granularity=256',
    ]);
  });

  it('knows the switch and the bridge of a port', () => {
    const { devices, ports } = plan({
      switches: '[{ id: sw0, port: rp1, ports: [dp0, dp1] }]',
      devices: '[{ id: mem0, port: dp1, volatile: 256M }]',
    });
    expect(devices[0]?.hostBridge).toBe('hb0');
    expect(ports.find(({ id }) => id === 'dp1')).toMatchObject({ switch: 'sw0', hostBridge: 'hb0' });
  });

  it('may have windows smaller than the capacity below them, or none over a bridge: real machines do', () => {
    expect(plan({ windows: '[{ id: w, targets: [hb0], size: 256M }]' }).windows).toHaveLength(1);
    expect(plan({ windows: '[]' }).windows).toEqual([]);
  });

  it('numbers ports below each bridge and switch from 0, and slots over the whole machine', () => {
    const { qemuArgs } = plan({
      bridges: '[{ id: hb0, ports: [rp0] }, { id: hb1, ports: [rp1, rp2] }]',
      windows: '[{ id: w, targets: [hb0], size: 4G }]',
    });
    expect(['rp0', 'rp1', 'rp2'].map((id) => option(qemuArgs, '-device', id))).toMatchObject([
      { port: 0, slot: 1 },
      { port: 0, slot: 2 },
      { port: 1, slot: 3 },
    ]);
  });

  it('always makes QEMU write an SRAT, without which CXL memory lands in node 0', () => {
    expect(plan().qemuArgs.slice(0, 4)).toEqual(['-smp', '2', '-m', '1024M,slots=4,maxmem=16384M']);
  });

  it('gives every node a socket of its own, as the kernel warns of a cache shared between nodes', () => {
    const { qemuArgs } = plan({ nodes: '2', cpus: '4' });
    expect(qemuArgs[1]).toBe('4,sockets=2');
    expect(qemuArgs).toContain('node,nodeid=1,memdev=node1-memory,cpus=2-3');
  });

  it('describes a generic port for every bridge of an HMAT', () => {
    const { qemuArgs } = plan({
      hmat: '{ memory: { latency: 10, bandwidth: 10G }, bridges: [{ bridge: hb0, latency: 50, bandwidth: 5G }] }',
    });
    expect(option(qemuArgs, '-object', 'hb0-port')).toEqual({
      'qom-type': 'acpi-generic-port',
      id: 'hb0-port',
      'pci-bus': 'hb0',
      node: 1,
    });
    expect(qemuArgs).toContain(
      'hmat-lb,initiator=0,target=1,hierarchy=memory,data-type=access-bandwidth,bandwidth=5120M',
    );
  });

  it('has an id that changes with the machine and with nothing else', () => {
    const base = plan();
    expect(planTopology(`${text()}# a comment\n`, 'other.yaml', 'other').id).toBe(base.id);
    expect(plan({ description: 'said otherwise' }).id).toBe(base.id);
    expect(plan({ cpus: '1' }).id).not.toBe(base.id);
    expect(plan({ windows: '[{ id: renamed, targets: [hb0], size: 4G }]' }).id).not.toBe(base.id);
  });
});

describe('a topology is refused', () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      'when it names a port that is not there',
      { devices: '[{ id: mem0, port: rp9, volatile: 256M }]' },
      ['4:29 there is no port rp9 | did you mean rp0?'],
    ],
    [
      'when two devices want one port',
      { devices: '[{ id: a, port: rp0, volatile: 256M }, { id: b, port: rp0, volatile: 256M }]' },
      ['4:64 port rp0 is taken by a | free ports: rp1'],
    ],
    [
      'when a device wants the port of a switch',
      {
        switches: '[{ id: sw0, port: rp0, ports: [dp0] }]',
        devices: '[{ id: a, port: rp0, volatile: 256M }]',
      },
      ['4:26 port rp0 is taken by sw0 | free ports: rp1, dp0'],
    ],
    [
      'when there are more devices than ports',
      { devices: '[{ id: a, volatile: 256M }, { id: b, volatile: 256M }, { id: c, volatile: 256M }]' },
      ['4:71 no port is left for c | add a port to a bridge or switch'],
    ],
    [
      'when switches are plugged into each other only',
      { switches: '[{ id: a, port: q, ports: [p] }, { id: b, port: p, ports: [q] }]' },
      [
        expect.stringContaining('6:27 a is below another switch, b') as string,
        expect.stringContaining('6:59 b is below another switch, a') as string,
      ],
    ],
    [
      'when a switch is below another, which QEMU does not route through',
      {
        switches: '[{ id: sw0, port: rp0, ports: [dp0] }, { id: sw1, port: dp0, ports: [dp1] }]',
        devices: '[{ id: mem0, port: rp1, volatile: 256M }]',
      },
      [
        '6:67 sw1 is below another switch, sw0: QEMU has one level of switches below a root port, and what is written to memory ' +
          'below a second switch is lost without a word, and reads give 0 (hw/cxl/cxl-host.c:cxl_cfmws_find_device()) | plug it into a root port',
      ],
    ],
    [
      'when an id is there twice',
      { bridges: '[{ id: hb0, ports: [rp0, rp0] }]' },
      ['3:35 the id rp0 is there twice | ids are unique over all parts'],
    ],
    [
      'when a serial is there twice',
      {
        devices: '[{ id: a, volatile: 256M, serial: 5 }, { id: b, volatile: 256M, serial: 5 }]',
      },
      ['4:82 a has serial 5 too | leave `serial` out to get a unique one'],
    ],
    [
      'when a serial is 0',
      { devices: '[{ id: a, volatile: 256M, serial: 0 }]' },
      ['4:44 must be greater than 0'],
    ],
    [
      'when a capacity is no multiple of 256M, where the guest would have no memdev',
      { devices: '[{ id: a, volatile: 300M }]' },
      ['4:30 300M is no multiple of 256M | 256M or 512M would do'],
    ],
    [
      'when dynamic capacity does not divide into its regions',
      { devices: '[{ id: a, dynamic: { size: 2G, regions: 3 } }]' },
      ['4:37 2G is no multiple of 768M | 1536M or 2304M would do'],
    ],
    [
      'when persistent capacity has no labels',
      { devices: '[{ id: a, persistent: 256M }]' },
      ['4:32 persistent capacity needs label storage | add `labels: 1M`'],
    ],
    [
      'when label storage is too small for the kernel',
      { devices: '[{ id: a, persistent: 256M, labels: 64K }]' },
      ['4:46 label storage must be 128K to 64M, a multiple of 4K'],
    ],
    [
      'when a device has no capacity',
      { devices: '[{ id: a }]' },
      ['4:11 a device needs capacity | add `volatile: 512M`'],
    ],
    [
      'when a size is none',
      { devices: '[{ id: a, volatile: 2X }]' },
      ['4:30 "2X" is not a size: write it as 512M, 4G, 0x20000000 or a number of bytes above 0'],
    ],
    [
      'when a window names no bridge',
      { windows: '[{ id: w, targets: [hb1], size: 4G }]' },
      ['5:30 window w names no bridge: hb1 | did you mean hb0?'],
    ],
    [
      'when a window is no multiple of 256M for each target',
      { windows: '[{ id: w, targets: [hb0], size: 1000M }]' },
      ['5:42 the size of w must be a multiple of 256M: 256M for each target | 768M or 1G would do'],
    ],
    [
      'when a window has a number of ways that CXL does not know',
      {
        bridges: `[${[0, 1, 2, 3, 4].map((n) => `{ id: hb${n}, ports: [rp${n}] }`).join(', ')}]`,
        windows: '[{ id: w, targets: [hb0, hb1, hb2, hb3, hb4], size: 5G }]',
      },
      ['5:29 CXL has no 5-way interleave | ways: 1, 2, 3, 4, 6, 8, 12, 16'],
    ],
    [
      'when a granularity is none of CXL',
      { windows: '[{ id: w, targets: [hb0], size: 4G, granularity: 300 }]' },
      ['5:59 expected one of 256, 512, 1024, 2048, 4096, 8192, 16384, found 300'],
    ],
    [
      'when an HMAT names no bridge',
      {
        hmat: '{ memory: { latency: 10, bandwidth: 10G }, bridges: [{ bridge: hb, latency: 50, bandwidth: 5G }] }',
      },
      ['6:70 there is no bridge hb | did you mean hb0?'],
    ],
    ['when memory is too small for a kernel', { memory: '128M' }, ['6:9 memory must be 512M to 64G']],
    [
      'when CPUs do not divide over the nodes',
      { nodes: '4', cpus: '2' },
      ['7:7 2 cpus do not divide over 4 nodes'],
    ],
    ['when a key is mistyped', { memroy: '1G' }, ['6:1 unknown key `memroy` | did you mean `memory`?']],
  ])('%s', (_when, keys, expected) => {
    expect(told(keys)).toEqual(expected);
  });

  it.each(['-device', 'a,b=c', '../x', 'UPPER', '', 'a b', 'a.b', '0x', 'a\n', 'x'.repeat(32)])(
    'when an id is %j, which could be read as an option or a path',
    (id) => {
      const [first] = told({ bridges: `[{ id: ${JSON.stringify(id)}, ports: [rp0] }]` });
      expect(first).toMatch(/^3:17 .*not an id/);
    },
  );
});
