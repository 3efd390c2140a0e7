import { describe, expect, test } from 'vitest';
import { unseenDeed, unseenDifference } from './unseen.js';

const BEFORE = '/sys/module/kmem/parameters/x:Y\n/proc/swaps:Filename\n/tmp/a 1 2\n      1 /bin/busybox\n';

describe('of what no snapshot shows, it is seen', () => {
  test.each([
    ['nothing, when nothing changed', BEFORE, undefined],
    ['no module that came', `${BEFORE}/sys/module/nfit/parameters/y:1\n`, undefined],
    ['no module that went', BEFORE.replace(/^.*\n/, ''), undefined],
    ['a module parameter', BEFORE.replace('x:Y', 'x:N'), '/sys/module/kmem/parameters/x:N'],
    ['a file', `${BEFORE}/tmp/left 4 5\n`, '/tmp/left 4 5'],
    ['a file that is gone', BEFORE.replace('/tmp/a 1 2\n', ''), '/tmp/a 1 2'],
    ['a program that still runs', `${BEFORE}      1 /bin/sleep\n`, '      1 /bin/sleep'],
  ])('%s', (_, after, expected) => expect(unseenDifference(BEFORE, after)).toBe(expected));
});

describe('a trace that cannot be read is left by', () => {
  test.each([
    ['echo dax0.0 > /sys/bus/dax/drivers/device_dax/new_id', 'a driver was given an id'],
    ['daxctl reconfigure-device -m devdax -f dax0.0', 'daxctl gives drivers ids'],
    ['modprobe -v memory_hotplug online_policy=auto-movable', 'a module has parameters'],
    ['echo 0x0 > /sys/kernel/debug/cxl/mem0/inject_poison', 'debugfs was used'],
  ])('%s', (text, expected) => expect(unseenDeed([{ text, channel: 'sh' }])).toBe(expected));

  test.each(['daxctl list', 'cxl create-region -m mem0', 'modprobe kmem', 'echo online > /sys/x'])(
    'not %s',
    (text) => expect(unseenDeed([{ text, channel: 'sh' }])).toBeUndefined(),
  );

  test('what changes the machine by QMP, not what only looks', () => {
    expect(unseenDeed([{ text: '{"execute":"cxl-inject-poison"}', channel: 'qmp' }])).toBeDefined();
    expect(unseenDeed([{ text: '{"execute":"query-status"}', channel: 'qmp' }])).toBeUndefined();
  });
});
