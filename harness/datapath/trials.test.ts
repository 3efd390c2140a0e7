import { describe, expect, test } from 'vitest';
import { loadTopology, planTopology } from '../topology/index.js';
import { placesOf } from './places.js';
import { regionTrials } from './trials.js';

const MIB = 2 ** 20;

async function told(topology: string): Promise<string[]> {
  return regionTrials(await loadTopology(topology)).map(
    ({ window, mode, devices, size }) =>
      `${window.id} ${mode} ${devices.map(({ id }) => id).join(' ')}, ${size / MIB}M`,
  );
}

describe('the data path is tried by', () => {
  test('a region for each device, and one for each width that ports and switches allow', async () => {
    expect((await told('two-bridges-two-switches')).filter((trial) => trial.startsWith('window0'))).toEqual([
      'window0 ram mem0 mem4, 512M',
      'window0 ram mem1 mem5, 512M',
      'window0 ram mem2 mem6, 512M',
      'window0 ram mem3 mem7, 512M',
      'window0 ram mem0 mem4 mem1 mem5, 1024M',
      'window0 ram mem0 mem4 mem2 mem6, 1024M',
      'window0 ram mem0 mem4 mem2 mem6 mem1 mem5 mem3 mem7, 2048M',
    ]);
  });

  test('both kinds of capacity of a device', async () => {
    expect(await told('mixed')).toEqual(['window0 ram mem0, 512M', 'window0 pmem mem0, 512M']);
  });

  test('regions that the window has room for', () => {
    const plan = planTopology(
      `cxlrig: 1
description: a window smaller than what is below it
bridges: [{ id: hb0, ports: [rp0, rp1] }]
devices: [{ id: mem0, volatile: 2G }, { id: mem1, volatile: 256M }]
windows: [{ id: w0, targets: [hb0], size: 512M, granularity: 16384 }]`,
      'machine.yaml',
      'machine',
    );
    expect(
      regionTrials(plan).map(({ devices, size, granularity }) => [devices.length, size / MIB, granularity]),
    ).toEqual([
      [1, 512, 16384],
      [1, 256, 16384],
      [2, 512, 16384],
    ]);
  });
});

describe('a granule belongs', () => {
  const plan = planTopology(
    `cxlrig: 1
description: three bridges with two ports each
bridges: [{ id: a, ports: [a0, a1] }, { id: b, ports: [b0, b1] }, { id: c, ports: [c0, c1] }]
devices:
${['a0', 'a1', 'b0', 'b1', 'c0', 'c1'].map((port) => `  - { id: on-${port}, port: ${port}, volatile: 256M }\n`).join('')}windows: [{ id: w0, targets: [a, b, c], size: 3G }]`,
    'machine.yaml',
    'machine',
  );
  const owners = (ways: number, start: number): string[] => {
    const trial = regionTrials(plan).find(({ devices }) => devices.length === ways);
    const places = trial ? placesOf(trial, start) : [];
    return places
      .filter(({ offset }) => offset < ways * 256 && offset % 256 === 0)
      .map(({ device }) => device.id);
  };

  test('to the bridge that its address chooses, wherever the region begins', () => {
    expect(owners(3, 0)).toEqual(['on-a0', 'on-b0', 'on-c0']);
    expect(owners(3, 256 * MIB)).toEqual(['on-b0', 'on-c0', 'on-a0']);
  });

  test('to the port that an address bit chooses, which three bridges do not shift', () => {
    expect(owners(6, 0)).toEqual(['on-a0', 'on-b1', 'on-c0', 'on-a1', 'on-b0', 'on-c1']);
  });
});
