import { describe, expect, test } from 'vitest';
import { isContext, stepOf, wordsOf, type RecordedLine } from './typed-step.js';

const line = (text: string, part: Partial<RecordedLine> = {}): RecordedLine => ({
  text,
  stdout: '',
  code: 0,
  context: [],
  ...part,
});

const write = (path: string, value: string) => ({ simple: { kind: 'write', path, value } as const });

describe('a typed line becomes a step', () => {
  test.each([
    [
      'a write',
      line('echo $R > commit', write('/sys/bus/cxl/devices/region0/commit', '1')),
      { write: { path: '/sys/bus/cxl/devices/region0/commit', value: '1' } },
    ],
    [
      'a write that the kernel refuses',
      line('echo 1 > /sys/x', { ...write('/sys/x', '1'), code: 1, errno: 'EBUSY' }),
      { write: { path: '/sys/x', value: '1' }, fails: 'EBUSY' },
    ],
    [
      'a read with what was read',
      line('cat /sys/x', { simple: { kind: 'read', path: '/sys/x' }, stdout: 'online\n' }),
      { read: { path: '/sys/x', equals: 'online' } },
    ],
    ['a tool', line('cxl list -R'), { cxl: { args: 'list -R' } }],
    [
      'a tool that fails',
      line('daxctl online-memory dax9.9', { code: 2 }),
      { daxctl: { args: 'online-memory dax9.9', exit: 2 } },
    ],
    ['a module that is loaded', line('modprobe kmem'), { module: { load: 'kmem' } }],
    ['a module that is unloaded', line('rmmod kmem'), { module: { unload: 'kmem' } }],
    ['a tool in a pipe', line('cxl list | wc -l'), { exec: { sh: 'cxl list | wc -l' } }],
    [
      'anything else, with what it stands on',
      line('ls ${R}', { context: ['cd /sys', 'R=region0'] }),
      { exec: { sh: 'cd /sys\nR=region0\nls $${R}' } },
    ],
    [
      'a write beside the kernel',
      line('echo 1 > /tmp/x', write('/tmp/x', '1')),
      { exec: { sh: 'echo 1 > /tmp/x' } },
    ],
  ])('%s', (_, recorded, step) => {
    expect(stepOf(recorded, undefined)).toEqual(step);
  });

  test('with the name that was given to it', () => {
    expect(stepOf(line('cxl list'), 'all there is')).toEqual({ name: 'all there is', cxl: { args: 'list' } });
  });
});

test.each([
  ['echo 0x2000 > $R/size', { kind: 'write', value: '0x2000', path: '$R/size' }],
  ['  cat state ', { kind: 'read', path: 'state' }],
  ['echo a > b > c', undefined],
  ['echo a > b; reboot', undefined],
  ['echo -n a > b', undefined],
  ['cat a b', undefined],
])('the words of %j that the shell must expand are %j', (text, words) => {
  expect(wordsOf(text)).toEqual(words);
});

test.each([
  ['cd /sys/bus/cxl/devices', true],
  ['cd', true],
  ['R=$(cat decoder0.0/create_ram_region)', true],
  ['export R=region0', true],
  ['R=1 cxl list', false],
  ['cd /x && ls', false],
])('%j only changes the shell: %j', (text, expected) => {
  expect(isContext(text)).toBe(expected);
});
