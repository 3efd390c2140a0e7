import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { findScenarios } from './find.js';
import { inShorterForm } from './fix.js';

const HEAD = `cxlrig: 1
name: a scenario # which has comments
description: why
topology: one-volatile
`;

describe('the shorter form of a scenario', () => {
  test('has bare names, attributes of things, and nothing that is undone by itself', () => {
    expect(
      inShorterForm(`${HEAD}steps:
  - read: { path: /sys/devices/system/memory/auto_online_blocks, as: was }
  # the policy is ours
  - write: { path: /sys/devices/system/memory/auto_online_blocks, value: offline }
  - create-region: { as: r, targets: [mem0], size: 512M } # half of it
  - bind: { bus: dax, driver: kmem, device: '\${r.dax}' }
  - write:
      path: '/sys/bus/cxl/devices/\${r}/commit'
      value: '\${r}'
    fails: EBUSY
  - repeat:
      times: 2
      steps:
        - expect: { region: { name: "\${r}", committed: true } }
cleanup:
  - destroy-region: { region: '\${r}' }
  - write: { path: /sys/devices/system/memory/auto_online_blocks, value: '\${was}' }
`),
    ).toBe(`${HEAD}steps:
  # the policy is ours
  - set: { path: /sys/devices/system/memory/auto_online_blocks, value: offline }
  - create-region: { as: r, targets: [mem0], size: 512M } # half of it
  - bind: { bus: dax, driver: kmem, device: r.dax }
  - write:
      of: r
      attr: commit
      value: '\${r}'
    fails: EBUSY
  - repeat:
      times: 2
      steps:
        - expect: { region: { name: r, committed: true } }
`);
  });

  test('keeps what would not be the same', () => {
    const text = `${HEAD}matrix: { r: [region0], keep: [true, false] }
leaves-no-trace: false
steps:
  - read: { path: /sys/a, as: was }
  - write: { path: /sys/a, value: 1 }
  - exec: { sh: 'echo \${was}' }
  - create-region: { as: s, targets: [mem0] }
  - bind: { bus: cxl, driver: cxl_region, device: '\${r}' }
  - write: { path: '/sys/bus/cxl/devices/\${r}/commit', value: 0 }
cleanup:
  - destroy-region: { region: s }
  - write: { path: /sys/a, value: '\${was}' }
`;
    expect(inShorterForm(text)).toBe(text);
  });

  test('leaves of a cleanup what is more than that, or what others come after', () => {
    const text = `${HEAD}steps:
  - create-region: { as: r, targets: [mem0] }
cleanup:
  - destroy-region: { region: r }
  - module: { load: kmem }
  - destroy-region: { region: r }
    may-fail: EBUSY
`;
    expect(inShorterForm(text)).toBe(text);
  });

  test('is that of each shipped scenario', async () => {
    for (const file of await findScenarios([])) {
      const text = await readFile(file, 'utf8');
      expect(inShorterForm(text), file).toBe(text);
    }
  });
});
