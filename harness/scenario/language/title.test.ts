import { expect, test } from 'vitest';
import { z } from 'zod';
import { step, stepKinds, type StepKind } from './language.js';
import { describeStep } from './title.js';

const title = (written: unknown): string => describeStep(step.parse(written));

test.each([
  [
    { 'create-region': { targets: ['mem0', 'mem1'], size: 536870912, bind: 'cxl_region' } },
    'create a ram region of 512M on mem0, mem1 and bind it to cxl_region',
  ],
  [
    { 'create-region': { mode: 'pmem', targets: ['mem0'], stop: 'dpa' } },
    'create a pmem region on mem0 up to dpa',
  ],
  [
    { bind: { bus: 'cxl', driver: 'cxl_region', device: '${r}' }, fails: 'EBUSY' },
    'bind ${r} to cxl/cxl_region, refused with EBUSY',
  ],
  [
    { write: { path: '/sys/x', value: 'a' }, fails: ['EBUSY', 'EINVAL'] },
    'write a to /sys/x, refused with EBUSY or EINVAL',
  ],
  [{ write: { path: '/sys/x', value: '' }, fails: null }, 'write nothing to /sys/x'],
  [
    { write: { path: '/sys/x', value: 'a' }, 'may-fail': ['EBUSY', 'ENXIO'] },
    'write a to /sys/x, or refused with EBUSY or ENXIO',
  ],
  [{ 'memory-block': { of: '${r}', index: 1, state: 'offline' } }, 'set memory block 1 of ${r} offline'],
  [{ 'memory-block': { block: 32, state: 'online' } }, 'set memory32 online'],
  [{ module: { load: 'kmem' } }, 'load kmem'],
  [{ daxctl: { args: ['list', '-D'] } }, 'daxctl list -D'],
  [{ exec: { sh: 'for x in 1 2\ndo echo $x\ndone\n' } }, 'for x in 1 2 do echo $x done'],
  [{ exec: { sh: 'true' }, name: 'nothing happens' }, 'nothing happens'],
  [{ expect: { region: { name: 'region0', exists: true }, 'stays-for': '2s' } }, 'expect region for 2s'],
  [{ expect: { 'same-as': 'boot' } }, 'expect the same state'],
  [{ capture: { as: 'd', 'dax-of': '${r}' } }, 'capture d: the dax of ${r}'],
  [{ repeat: { times: 3, steps: [{ reboot: {} }] } }, '3 times: reboot'],
  [{ parallel: [[{ reboot: {} }], [{ reboot: {} }]] }, '2 branches at once'],
])('%j reads: %s', (written, expected) => {
  expect(title(written)).toBe(expected);
});

test('every step kind has a title of one line without control characters', () => {
  for (const kind of Object.keys(stepKinds) as StepKind[]) {
    const [example] = z.globalRegistry.get(stepKinds[kind])?.['examples'] as unknown[];
    expect(title({ [kind]: example }), kind).toMatch(/^\P{Cc}{3,100}$/u);
  }
});

test('a long title is cut', () => {
  expect(title({ exec: { sh: 'x'.repeat(300) } })).toMatch(/^x{97}\.\.\.$/);
});
