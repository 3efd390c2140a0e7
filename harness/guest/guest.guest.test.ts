import { existsSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { RigError } from '../base/errors.js';
import { sharedGuest, testGuest, testSpec } from '../testing/guest.js';
import { runFirmware } from './start/accelerator.js';
import { knownQemu } from './start/qemu-version.js';
import {
  attachTerminal,
  bootGuest,
  GuestDied,
  GuestTimeout,
  KexecRefused,
  QmpError,
  sshCommand,
} from './index.js';
import { RETAIN_INITRD } from './kexec.js';

const SOON = { timeoutMs: 60_000 };
const POLICY = '/sys/devices/system/memory/auto_online_blocks';

describe('a booted guest', () => {
  const guest = sharedGuest('one-volatile');

  test('runs the kernel that was asked for and has a memdev', async () => {
    const { stdout } = await guest().exec('uname -r; ls -d /sys/bus/cxl/devices/mem0', SOON);
    expect(stdout.toString()).toBe(`${guest().spec.kernel.release}\n/sys/bus/cxl/devices/mem0\n`);
  });

  test('says on the console, from the first line on, how it came up', () => {
    expect(guest().console.since(0)).toMatch(/Linux version [^]*cxlrig-init: start[^]*cxlrig-init: ready/);
  });

  test('gives back exact bytes, both streams apart, and takes exact bytes', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const answer = await guest().exec('cat; printf e >&2; exit 3', { stdin: bytes, ...SOON });
    expect(answer).toMatchObject({ code: 3, signal: null });
    expect(answer.stdout.equals(bytes)).toBe(true);
    expect(answer.stderr.toString()).toBe('e');
  });

  test('tells a command that a signal ended', async () => {
    expect(await guest().exec('kill -9 $$', SOON)).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  test('runs many commands at once', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => guest().exec(`echo ${n}`, SOON)));
    expect(answers.map(({ stdout }) => Number(stdout.toString()))).toEqual([...answers.keys()]);
  });

  test('a command that hangs is a timeout, and the guest still answers', async () => {
    await expect(guest().exec('sleep 30', { timeoutMs: 500 })).rejects.toThrow(GuestTimeout);
    await expect(guest().type('sleep 30', { timeoutMs: 500 })).rejects.toThrow(GuestTimeout);
    expect((await guest().type('echo here', SOON)).stdout.toString()).toBe('here\n');
  });

  test("a typed sysfs write that the kernel refuses has the shell's words for it", async () => {
    expect((await guest().type(`echo online > ${POLICY}`, SOON)).code).toBe(0);
    const refused = await guest().type(`echo nonsense > ${POLICY}`, SOON);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr.toString()).toMatch(/write error: Invalid argument/);
  });

  test('kernel messages reach the console while they are logged', async () => {
    const mark = guest().console.length;
    const seen = guest().console.waitFor(/marked: (\d+)/, { mark, ...SOON });
    await guest().exec('echo "<6>marked: 42" > /dev/kmsg', SOON);
    expect((await seen)[1]).toBe('42');
  });

  test('ssh(1) gets in by the command that is printed, with nothing trusted at first sight', async () => {
    const { stdout } = await execa('sh', ['-c', `${sshCommand(guest())} uname -n; true`], {
      stdin: 'ignore',
    });
    expect(stdout).not.toBe('');
  });

  test('a terminal can be attached, and its shell has the last word', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const stdout = new PassThrough();
    stdin.write('test -t 0 && echo on a "terminal"\nexit 5\n');
    expect(await attachTerminal(guest(), { stdin, stdout })).toBe(5);
    expect(String(stdout.read())).toContain('on a terminal');
  });

  test('a script on standard input is run to its end', async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    stdin.end('test -t 0 || echo no "terminal"\necho last; exit 6\n');
    expect(await attachTerminal(guest(), { stdin, stdout })).toBe(6);
    expect(String(stdout.read())).toBe('no terminal\nlast\n');
  });

  test('QMP answers, refuses by name, and is kept for the trace', async () => {
    expect(await guest().qmp('query-status')).toMatchObject({ status: 'running' });
    await expect(guest().qmp('device_del', { id: 'nothing' })).rejects.toThrow(QmpError);
    expect(guest().qmpTraffic.at(-1)).toMatchObject({ direction: 'error' });
  });

  test('QEMU starts no program of the host, whoever talks it into that', async () => {
    const { sandbox } = await knownQemu();
    const started = guest().qmp('migrate', { uri: 'exec:touch started' });
    if (sandbox.length > 0) await expect(started).rejects.toThrow('Operation not permitted');
    else await started;
    expect(existsSync(join(guest().spec.dir, 'started'))).toBe(sandbox.length === 0);
  });

  // what no scenario may say, so that a mistake in what it may is not enough
  test('QEMU reads no file of the host that is not its own, whoever talks it into that', async () => {
    const { isConfined } = await knownQemu();
    const secret = join(tmpdir(), `cxlrig-secret-${process.pid}`);
    writeFileSync(secret, 'secret');
    const added = guest().qmp('object-add', {
      'qom-type': 'memory-backend-file',
      id: 'secret',
      size: 4096,
      'mem-path': secret,
    });
    const outcome = await added.then(
      () => 'read',
      (error: unknown) => String(error),
    );
    rmSync(secret);
    if (isConfined) expect(outcome).toContain('Permission denied');
    else expect(outcome).toBe('read');
    await guest()
      .qmp('object-del', { id: 'secret' })
      .catch(() => undefined);
  });

  test('a machine that a step pauses is not dead and goes on', async () => {
    const stopped = guest().waitForEvent('STOP', SOON);
    await guest().qmp('stop');
    await stopped;
    await guest().qmp('cont');
    expect((await guest().exec('echo on', SOON)).stdout.toString()).toBe('on\n');
  });

  test('the connection comes back when the server of it is killed', async () => {
    const broken = guest().exec('kill -9 $PPID; sleep 30', SOON);
    await expect(broken).rejects.toMatchObject({ name: 'RigError', stage: 'ssh' });
    expect((await guest().exec('echo back', SOON)).stdout.toString()).toBe('back\n');
    expect((await guest().type('echo back', SOON)).stdout.toString()).toBe('back\n');
  });

  test('a reboot gives a new system that answers, and is no death', async () => {
    await guest().exec('echo kept > /run/before', SOON);
    await guest().reboot();
    expect((await guest().exec('cat /run/before 2>/dev/null || echo gone', SOON)).stdout.toString()).toBe(
      'gone\n',
    );
    expect((await guest().type('echo typed', SOON)).stdout.toString()).toBe('typed\n');
    expect(await Promise.race([guest().death, Promise.resolve('alive')])).toBe('alive');
  });

  test('a kexec without a kernel to start is refused, and the guest goes on', async () => {
    await expect(guest().kexec([])).rejects.toThrow(KexecRefused);
    expect((await guest().type('echo here', SOON)).stdout.toString()).toBe('here\n');
  });

  test('a kexec gives a new kernel on the machine as it is, and is no death', async () => {
    const own = await testGuest('one-volatile', { cmdline: [RETAIN_INITRD] });
    const events = own.qmpTraffic.length;
    await own.exec('echo kept > /run/before', SOON);
    await own.kexec(['quiet']);
    const seen = await own.exec('cat /run/before 2>/dev/null || echo gone; cat /proc/cmdline', SOON);
    expect(seen.stdout.toString()).toMatch(/^gone\n.* retain_initrd .*quiet\n$/);
    expect(JSON.stringify(own.qmpTraffic.slice(events))).not.toContain('RESET');
    expect(await Promise.race([own.death, Promise.resolve('alive')])).toBe('alive');
    await own.stop();
  });

  test('a stopped guest leaves its logs and nothing else', async () => {
    await guest().stop();
    await guest().stop();
    expect(readdirSync(guest().spec.dir).sort()).toEqual(['console.log', 'qemu.log', 'qemu.sh']);
    expect(await Promise.race([guest().death, Promise.resolve('no death')])).toBe('no death');
    await expect(guest().exec('true', SOON)).rejects.toThrow(RigError);
  });
});

describe('the death of a guest', () => {
  test('a panic is told within seconds to all who wait, with its whole trace', async () => {
    const guest = await testGuest('none');
    const typed = guest.type('sleep 60', SOON);
    const printed = guest.console.waitFor(/this is never printed/, SOON);
    const crashed = guest.exec('echo c > /proc/sysrq-trigger', SOON);
    for (const waiting of [typed, printed, crashed]) waiting.catch(() => undefined);
    const death = await guest.death;
    expect(death).toMatchObject({ kind: 'panic', message: expect.stringContaining('sysrq') as unknown });
    expect(death.console.join('\n')).toContain('</TASK>');
    for (const waiting of [typed, printed, crashed]) await expect(waiting).rejects.toThrow(GuestDied);
    await guest.stop();
  });

  test('a guest that powers itself off is dead, and an own reboot too', async () => {
    const off = await testGuest('none');
    await expect(off.exec('poweroff -f; sleep 60', SOON)).rejects.toThrow(GuestDied);
    expect((await off.death).message).toContain('powered itself off');
    await off.stop();
    const again = await testGuest('none');
    await expect(again.exec('reboot -f; sleep 60', SOON)).rejects.toThrow(GuestDied);
    expect((await again.death).message).toContain('rebooted though nobody asked');
  });

  test('a killed QEMU is no fault of the kernel', async () => {
    const guest = await testGuest('none');
    process.kill(guest.pid, 'SIGKILL');
    expect(await guest.death).toMatchObject({ kind: 'qemu', message: 'QEMU ended (signal SIGKILL)' });
  });
});

describe('a boot that fails', () => {
  test('tells what QEMU says when it refuses the machine', async () => {
    const spec = await testSpec('none');
    const machine = {
      ...spec.machine,
      qemuArgs: [...spec.machine.qemuArgs, '-device', '{"driver":"no-such"}'],
    };
    await expect(bootGuest({ ...spec, machine })).rejects.toMatchObject({
      stage: 'qemu',
      message: expect.stringContaining("'no-such' is not a valid device model name") as unknown,
    });
    expect(readdirSync(spec.dir).sort()).toEqual(['console.log', 'qemu.log', 'qemu.sh']);
  });

  test('is the kernel’s fault when the kernel panics', async () => {
    const spec = await testSpec('none', { cmdline: ['rdinit=/nowhere', 'root=/dev/nothing'] });
    const error: unknown = await bootGuest(spec).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GuestDied);
    expect((error as GuestDied).death.kind).toBe('panic');
  });

  test('says that no init was reached when there is another program in its place', async () => {
    const cmdline = ['rdinit=/bin/sleep', '--', '1000'];
    const spec = await testSpec('none', { cmdline });
    const error: unknown = await bootGuest(spec).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      stage: 'boot',
      message: 'the guest stood still at each of 3 starts before it reached init',
    });
    const { evidence } = error as RigError;
    expect(evidence).toHaveLength(3);
    for (const where of evidence) expect(where).toMatch(/^it said last "\[ +\d+\.\d+\] .+"; CPU 0 /);
  });

  test('is the firmware’s when no kernel is heard', async () => {
    // a quick machine is at init within the 3 s, and ours would be heard
    const cmdline = ['console=null', 'quiet', 'rdinit=/bin/sleep', '--', '1000'];
    const spec = await testSpec('none', { cmdline, bootTimeoutMs: 3_000 });
    await expect(bootGuest(spec)).rejects.toMatchObject({ stage: 'firmware' });
  });

  test('ends at once, and leaves no QEMU, when it is called off', async () => {
    const spec = await testSpec('none');
    const controller = new AbortController();
    const boot = bootGuest(spec, {
      signal: controller.signal,
      onPhase: (phase) => phase === 'kernel' && controller.abort(new Error('called off')),
    });
    await expect(boot).rejects.toThrow('called off');
    expect(readdirSync(spec.dir).sort()).toEqual(['console.log', 'qemu.log', 'qemu.sh']);
    expect(processesIn(spec.dir)).toEqual([]);
  });
});

/** Processes whose working folder it is: QEMU's is its guest's. */
function processesIn(dir: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === dir;
    } catch {
      return false;
    }
  });
}

test('the firmware that KVM is probed with comes to its end', async () => {
  expect(await runFirmware('tcg')).toBeUndefined();
});
