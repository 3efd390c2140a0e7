import { expect, test } from 'vitest';
import { readState } from '../../abi/index.js';
import { testGuest } from '../../testing/guest.js';
import { loadTopology } from '../../topology/index.js';
import { loadScenarioText } from '../index.js';
import { closeSteps, leftoversAfter, openSteps, runSteps } from './index.js';

const SCENARIO = `cxlrig: 1
name: the current workflow, forth and back
description: a region becomes memory, and nothing is left of it afterwards
topology: one-volatile
steps:
  - read: { path: /sys/devices/system/memory/auto_online_blocks, as: policy }
  - write: { path: /sys/devices/system/memory/auto_online_blocks, value: online_movable }
  - create-region: { as: r, targets: [mem0], size: 512M }
  - bind: { bus: cxl, driver: cxl_region, device: '\${r}' }
  - expect:
      region: { name: '\${r}', driver: cxl_region, committed: true, targets: [mem0] }
      dax: { of: '\${r}', driver: kmem, size: 512M }
      memory: { of: '\${r}', count: 4, state: online, zone: Movable }
      node: { id: '\${r.node}', memory: true, bytes: 512M }
      iomem: { path: [CXL Window 0, '\${r}', '\${r.dax}', System RAM (kmem)], bytes: 512M }
      stays-for: 200ms
  - memory-block: { block: '\${r.block0}', state: offline }
  - memory-block: { block: '\${r.block0}', state: offline }
    fails: EINVAL
  - write: { path: '/sys/bus/dax/devices/\${r.dax}/no-such-attribute', value: x }
    fails: ENOENT
  - write: { path: '/sys/bus/dax/devices/\${r.dax}/target_node', value: x }
    fails: EACCES
  - inject: { device: mem0, type: general-media, start: 0x1000 }
  - expect:
      trace: { event: cxl_general_media, fields: { log: Informational, region: '\${r}' } }
  - repeat: { times: 2, as: turn, steps: [{ exec: { sh: 'echo \${turn}', equals: '\${turn}' } }] }
  - parallel:
      - [{ read: { path: '/sys/bus/cxl/devices/\${r}/size', equals: '0x20000000' } }]
      - [{ cxl: { args: list -R, json: [{ region: '\${r}', interleave_ways: 1 }] } }]
cleanup:
  - memory-block: { of: '\${r}', state: offline }
  - unbind: { bus: dax, driver: kmem, device: '\${r.dax}' }
  - destroy-region: { region: '\${r}' }
  - write: { path: /sys/devices/system/memory/auto_online_blocks, value: '\${policy}' }
`;

test('a region made by steps becomes memory, and its teardown leaves no trace', async () => {
  const [guest, plan] = await Promise.all([testGuest('one-volatile'), loadTopology('one-volatile')]);
  const { cases } = await loadScenarioText(SCENARIO, 'forth-and-back.yaml');
  const [only] = cases;
  if (!only) throw new Error('the scenario has no case');
  const session = await openSteps({
    guest,
    plan,
    abi: {},
    initialState: await readState(guest),
    emit: () => undefined,
    keepFile: () => Promise.resolve(true),
    findSplats: () => [],
    allowSplats: [],
    deadline: performance.now() + 300_000,
  });

  const { failure, steps } = await runSteps(only.steps, session);
  expect(failure).toBeUndefined();
  const bind = steps.find(({ kind }) => kind === 'bind');
  expect(bind?.lines.map(({ text }) => text)).toEqual([
    'echo region0 > /sys/bus/cxl/drivers/cxl_region/bind',
  ]);
  expect(bind?.log).toContain('cxlrig: echo region0 > /sys/bus/cxl/drivers/cxl_region/bind');

  const cleanup = await runSteps(only.cleanup, session, { isCleanup: true });
  expect(cleanup.failure).toBeUndefined();
  await closeSteps(session);
  expect(await leftoversAfter(session)).toEqual([]);
});

test('a panic in a step fails it, and its log is what the console says of it', async () => {
  const [guest, plan] = await Promise.all([testGuest('none'), loadTopology('none')]);
  const text = `cxlrig: 1
name: panic
description: the kernel dies
topology: none
steps:
  - write: { path: /proc/sysrq-trigger, value: c }
  - exec: { sh: 'true' }
`;
  const { cases } = await loadScenarioText(text, 'panic.yaml');
  const session = await openSteps({
    guest,
    plan,
    abi: {},
    initialState: await readState(guest),
    emit: () => undefined,
    keepFile: () => Promise.resolve(true),
    findSplats: () => [],
    allowSplats: [],
    deadline: performance.now() + 300_000,
  });
  const { failure, steps } = await runSteps(cases[0]?.steps ?? [], session);
  expect(failure).toMatchObject({ blame: 'kernel', received: 'panic' });
  expect(steps[0]?.log).toContain('sysrq triggered crash');
  expect(steps[1]?.outcome).toBe('skipped');
});
