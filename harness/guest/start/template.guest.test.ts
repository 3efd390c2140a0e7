import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readState } from '../../abi/index.js';
import { comparable } from '../../bench/comparable.js';
import { testFolder, testSpec } from '../../testing/guest.js';
import { bootGuest, startGuest, type GuestSpec, type RunningGuest } from '../index.js';

const SOON = { timeoutMs: 60_000 };

async function started(spec: GuestSpec, start = startGuest): Promise<RunningGuest> {
  const guest = await start(spec);
  onTestFinished(() => guest.stop());
  return guest;
}

async function stateOf(guest: RunningGuest) {
  return comparable(await readState(guest));
}

async function typed(guest: RunningGuest, line: string): Promise<string> {
  return (await guest.type(line, SOON)).stdout.toString().trim();
}

describe('two guests resumed from one template at the same time', () => {
  test('are alike in what the kernel shows, and strangers in all that is their own', async () => {
    const [a, b] = await Promise.all([started(await testSpec('mixed')), started(await testSpec('mixed'))]);
    expect([a.start, b.start]).toEqual([{ how: 'resumed' }, { how: 'resumed' }]);
    expect(await stateOf(a)).toEqual(await stateOf(b));

    for (const what of ['cat /proc/sys/kernel/random/uuid', 'cat /proc/sys/kernel/random/boot_id']) {
      expect(await typed(a, what)).not.toBe(await typed(b, what));
    }
    const hostKeys = await Promise.all([a, b].map(({ ssh }) => readFile(ssh.knownHostsFile, 'utf8')));
    expect(hostKeys[0]?.split(' ')[2]).not.toBe(hostKeys[1]?.split(' ')[2]);

    const clock = Number(await typed(a, 'date +%s'));
    expect(Math.abs(clock - Date.now() / 1000)).toBeLessThan(5);

    await typed(a, 'echo mine > /run/mark; echo offline > /sys/devices/system/memory/auto_online_blocks');
    expect(await typed(b, 'ls /run/mark; cat /sys/devices/system/memory/auto_online_blocks')).toBe('online');
  });
});

test('a resumed guest shows what a booted one shows', async () => {
  const [resumed, booted] = [
    await started(await testSpec('two-bridges-two-switches')),
    await started(await testSpec('two-bridges-two-switches'), bootGuest),
  ];
  expect([resumed.start.how, booted.start.how]).toEqual(['resumed', 'cold']);
  expect(await stateOf(resumed)).toEqual(await stateOf(booted));
});

test('a resumed guest has the whole boot on its console and in its log, is written to by hand, and reboots', async () => {
  const guest = await started(await testSpec('one-volatile'));
  expect(guest.console.since(0)).toMatch(/Linux version [^]*cxlrig-init: template[^]*cxlrig-init: ready/);
  expect(await typed(guest, 'dmesg | grep -c "Linux version"')).toBe('1');
  expect(guest.console.since(0)).not.toContain(' ssh-ed25519 ');
  const mark = guest.console.length;
  await guest.exec('echo "<6>marked: 42" > /dev/kmsg', SOON);
  await guest.console.waitFor(/marked: 42/, { mark, ...SOON });

  await typed(guest, 'touch /run/before');
  await guest.reboot();
  expect(await typed(guest, 'ls /run/before; cat /sys/bus/cxl/devices/mem0/serial')).toBe('0x1');
  expect(guest.console.since(mark)).toMatch(/Linux version [^]*cxlrig-init: ready/);
});

test('a template that QEMU cannot load costs a boot, is told, and is removed', async () => {
  const [spec, again] = [await testSpec('none'), await testSpec('none')];
  const cache = await testFolder();
  vi.stubEnv('CXLRIG_CACHE', cache);
  onTestFinished(() => void vi.unstubAllEnvs());
  const first = await started(spec);
  expect(first.start.how).toBe('resumed');
  await first.stop();
  const templates = join(cache, 'templates');
  const [key = ''] = await readdir(templates);
  await breakTemplate(join(templates, key));

  const guest = await started(again);
  expect(guest.start).toMatchObject({ how: 'cold', fellBack: true });
  expect(guest.start.reason).toMatch(/the resumed guest did not come up/);
  expect(await typed(guest, 'echo here')).toBe('here');
  expect(await readdir(templates)).toEqual([]);
});

/** Swaps the state for nonsense of the same size that the seal vouches for. */
async function breakTemplate(dir: string): Promise<void> {
  const seal = JSON.parse(await readFile(join(dir, 'template.json'), 'utf8')) as { state: string };
  const { length } = await readFile(join(dir, 'state'));
  const nonsense = Buffer.alloc(length, 'nonsense');
  await writeFile(join(dir, 'state'), nonsense);
  seal.state = createHash('sha256').update(nonsense).digest('hex');
  await writeFile(join(dir, 'template.json'), JSON.stringify(seal));
}
