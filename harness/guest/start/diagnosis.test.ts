import { expect, test } from 'vitest';
import { RigError } from '../../base/errors.js';
import { diagnoseBoot } from './diagnosis.js';
import { GuestDied, GuestTimeout } from '../guest.js';

const KERNEL = '[    0.000000] Linux version 7.3.4+deb13-cloud-amd64 (debian-kernel@lists.debian.org)\n';
const INIT = `${KERNEL}[    4.280000] cxlrig-init: start\n`;
const READY = `${INIT}[    5.610000] cxlrig-init: ready\n`;
const late = new GuestTimeout('console', 1000);
const died = (kind: 'panic' | 'shutdown' | 'qemu' | 'stopped'): GuestDied =>
  new GuestDied({ kind, message: 'why', console: ['the last line'] });

test.each([
  ['', 'firmware'],
  [KERNEL, 'boot'],
  [INIT, 'init'],
  [READY, 'ssh'],
])('silence after %j is laid to the stage %s, with the console as evidence', (console, stage) => {
  const error = diagnoseBoot(late, console, 120_000);
  expect(error).toBeInstanceOf(RigError);
  expect(error).toMatchObject({ stage, evidence: console.split('\n').slice(0, -1) });
  expect((error as RigError).message).toContain('within 120 s');
});

test('a kernel that panics or resets while it boots is at fault itself', () => {
  expect(diagnoseBoot(died('panic'), KERNEL, 1)).toBeInstanceOf(GuestDied);
  expect(diagnoseBoot(died('shutdown'), KERNEL, 1)).toBeInstanceOf(GuestDied);
});

test('a machine that resets before there is a kernel is not', () => {
  expect(diagnoseBoot(died('shutdown'), '', 1)).toMatchObject({ stage: 'firmware' });
});

test("QEMU's own end is the rig's", () => {
  expect(diagnoseBoot(died('qemu'), '', 1)).toMatchObject({ stage: 'qemu', evidence: ['the last line'] });
  expect(diagnoseBoot(died('stopped'), KERNEL, 1)).toMatchObject({ stage: 'boot' });
});

test('a refused SSH connection keeps its message and gains the console', () => {
  const refused = new RigError('ssh', 'no SSH connection: its host key is not the one made for this guest');
  expect(diagnoseBoot(refused, READY, 1)).toMatchObject({
    message: refused.message,
    evidence: { length: 3 },
  });
});

test('anything else passes through', () => {
  const error = new TypeError('x');
  expect(diagnoseBoot(error, '', 1)).toBe(error);
});
