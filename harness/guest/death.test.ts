import { expect, test } from 'vitest';
import { deathByEvent, deathByStatus, knownCrash, panicLine, watchForDeath } from './death.js';

/** As a Debian 7.3.4 kernel printed it when told to crash by sysrq. */
const PANIC = `[   18.401219] sysrq: Trigger a crash
[   18.401662] Kernel panic - not syncing: sysrq triggered crash
[   18.408494] CPU: 0 UID: 0 PID: 145 Comm: sh Not tainted 7.3.4+deb13-cloud-amd64 #1 PREEMPT(lazy)  Debian 7.3.4-1~bpo13+1
[   18.410480] Call Trace:
`;

test("a panic's line is found in the console", () => {
  expect(panicLine(PANIC)).toBe('Kernel panic - not syncing: sysrq triggered crash');
  expect(panicLine('[    1.0] Kernel command line: panic=-1')).toBeUndefined();
});

test.each([
  ['GUEST_PANICKED', { action: 'pause' }, 'panic'],
  ['SHUTDOWN', { guest: true, reason: 'guest-shutdown' }, 'shutdown'],
  ['SHUTDOWN', { guest: true, reason: 'guest-reset' }, 'shutdown'],
  ['SHUTDOWN', { guest: false, reason: 'host-signal' }, 'qemu'],
  ['WATCHDOG', { action: 'pause' }, 'stopped'],
  ['RESET', { guest: true, reason: 'guest-reset' }, undefined],
  ['STOP', {}, undefined],
  ['DEVICE_DELETED', { device: 'mem0' }, undefined],
])('%s %o is a death of the kind %s', (event, data, kind) => {
  expect(deathByEvent({ event, data }, undefined)?.kind).toBe(kind);
});

test('a reset after a panic on the console is the panic: kernels without pvpanic reset', () => {
  const reset = { event: 'SHUTDOWN', data: { guest: true, reason: 'guest-reset' } };
  expect(deathByEvent(reset, panicLine(PANIC))).toEqual({
    kind: 'panic',
    message: 'Kernel panic - not syncing: sysrq triggered crash',
  });
});

test('a machine that stopped for an internal error is dead, one that was paused is not', () => {
  expect(deathByStatus('internal-error', 'kvm')?.message).toContain('--accel tcg');
  expect(deathByStatus('internal-error', 'tcg')?.kind).toBe('stopped');
  expect(deathByStatus('paused', 'tcg')).toBeUndefined();
});

test('the first cause counts, with the console as it was then', async () => {
  let console = ['first'];
  const watch = watchForDeath(() => console);
  watch.declare({ kind: 'panic', message: 'Kernel panic' });
  console = ['second'];
  watch.declare({ kind: 'qemu', message: 'QEMU ended' });
  expect(await watch.death).toEqual({ kind: 'panic', message: 'Kernel panic', console: ['first'] });
});

test('an end that was asked for is no death', async () => {
  const watch = watchForDeath(() => []);
  watch.expectEnd();
  watch.declare({ kind: 'qemu', message: 'QEMU ended' });
  expect(await Promise.race([watch.death, Promise.resolve('alive')])).toBe('alive');
});

test('a crash of QEMU tells which one its version is known for, and only that', () => {
  expect(knownCrash('signal SIGSEGV', '10.0.2', 'tcg')).toMatch(
    /known to when registers are saved across a page .*access_ptr\(\)\), .*; QEMU 11\.1\.3 goes on/,
  );
  expect(knownCrash('signal SIGSEGV', '11.1.3', 'tcg')).toBeUndefined();
  expect(knownCrash('signal SIGSEGV', '10.0.2', 'kvm')).toBeUndefined();
  expect(knownCrash('signal SIGKILL', '10.0.2', 'tcg')).toBeUndefined();
});
