import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { cxlrig, workFolder } from '../testing/command.js';

/** Ten steps on two devices; what fails is that nobody binds the region. */
const PLANTED = `cxlrig: 1
name: A region is bound by itself
description: It is not.
topology: two-ports
matrix: { policy: [offline, online_movable] }
steps:
  - read: { path: /sys/devices/system/memory/auto_online_blocks, as: was }
  - write: { path: /sys/devices/system/memory/auto_online_blocks, value: '\${policy}' }
  - capture: { as: m, memdev-of: mem0 }
  - read: { path: '/sys/bus/cxl/devices/\${m}/serial', as: serial }
  - exec: { sh: 'echo \${serial}; uname -r' }
  - snapshot: { as: before }
  - create-region: { as: r, targets: [mem0, mem1], size: 512M, granularity: 256 }
  - repeat:
      times: 3
      steps:
        - exec: { sh: 'grep -c CXL /proc/iomem' }
  - expect: { region: { name: '\${r}', committed: true, size: 512M }, memory: { of: '\${r}', count: 0 } }
  - expect: { region: { name: '\${r}', interleave_ways: 2, driver: cxl_region }, within: 200ms }
cleanup:
  - destroy-region: { region: '\${r}' }
  - write: { path: /sys/devices/system/memory/auto_online_blocks, value: '\${was}' }
`;

describe('cxlrig shrink', () => {
  test('leaves of ten steps on two devices the two steps on one that the failure needs', async () => {
    const dir = await workFolder();
    const [planted, small] = [join(dir, 'planted.yaml'), join(dir, 'small.yaml')];
    await writeFile(planted, PLANTED);
    const { exitCode, text } = await cxlrig(['shrink', planted, '-t', 'offline', '--output', small]);
    expect(text).toContain('2 steps, 1 device');
    expect(exitCode).toBe(0);
    expect(parse(await readFile(small, 'utf8'))).toEqual({
      cxlrig: 1,
      name: 'A region is bound by itself [policy=offline]',
      description: 'It is not.',
      topology: {
        bridges: [{ id: expect.any(String) as string, ports: [expect.any(String)] }],
        devices: [expect.objectContaining({ volatile: '256M' })],
        windows: [expect.objectContaining({ targets: [expect.any(String)] })],
      },
      steps: [
        { 'create-region': { as: 'r', targets: [expect.stringMatching(/^mem[01]$/)] } },
        { expect: { region: { name: '${r}', driver: 'cxl_region' }, within: '200ms' } },
      ],
      'leaves-no-trace': false,
    });
    const again = await cxlrig(['run', small, '--out', join(dir, 'runs')]);
    expect(again.text).toContain('region0 is null, not "cxl_region"');
  });

  test('says of a case that passes that there is nothing to shrink, and writes nothing', async () => {
    const dir = await workFolder();
    const { exitCode, text } = await cxlrig(['shrink', 'current/refuse-size', '-t', 'size'], { cwd: dir });
    expect(exitCode).toBe(2);
    expect(text).toMatch(/cases are selected, and one is shrunk at a time|does not fail/);
  });
});
