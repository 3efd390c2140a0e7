import { execa } from 'execa';
import { expect, test } from 'vitest';
import { loadTopology } from '../../topology/index.js';
import { qemuArguments, qemuScript, resumedArguments, templateArguments } from './command-line.js';
import { quote } from '../../base/sh-quote.js';
import type { GuestSpec } from '../guest.js';

const spec: GuestSpec = {
  kernel: {
    profile: 'stock',
    id: 'abc',
    release: '7.3.4',
    image: "/cache/it's, a kernel/vmlinux",
    format: 'elf',
    modulesDir: '/cache/modules',
    config: '/cache/config',
    cmdline: ['memhp_default_state=offline'],
    abi: {},
    origin: 'linux-image 7.3.4-1\nof trixie-backports',
  },
  initramfs: '/cache/images/x/initramfs',
  machine: await loadTopology('one-volatile'),
  cmdline: ['trace_event=cxl'],
  accelerator: 'tcg',
  dir: '/runs/1',
};

const valueOf = (args: readonly string[], option: string): string | undefined =>
  args[args.indexOf(option) + 1];

test("the machine's arguments follow the harness's own", () => {
  expect(qemuArguments(spec).join(' ')).toContain(spec.machine.qemuArgs.join(' '));
});

test("the kernel's command line ends with the profile's options and then the case's", () => {
  expect(valueOf(qemuArguments(spec), '-append')).toMatch(
    /^console=ttyS0 .* memhp_default_state=offline trace_event=cxl$/,
  );
});

test('no argument but the kernel holds a path that could be split at a comma', () => {
  const args = qemuArguments({ ...spec, dir: '/runs/a,b' });
  expect(args.filter((arg) => arg.includes('/runs'))).toEqual([]);
  expect(valueOf(args, '-kernel')).toBe(spec.kernel.image);
});

test('the guest is cut off from the network and SSH is forwarded from loopback only', () => {
  const args = qemuArguments(spec);
  expect(JSON.parse(valueOf(args, '-netdev') ?? '')).toMatchObject({
    restrict: true,
    hostfwd: [{ str: 'tcp:127.0.0.1:0-:22' }],
  });
});

test('the hypervisor bit is off: with it the kernel refuses every region', () => {
  expect(valueOf(qemuArguments(spec), '-cpu')).toContain(',-hypervisor');
});

test('every device of the harness says that it is on pcie.0', () => {
  const args = qemuArguments({ ...spec, machine: { ...spec.machine, qemuArgs: [] } });
  const devices = args.filter((_, n) => args[n - 1] === '-device').map((json) => JSON.parse(json) as object);
  expect(devices).toHaveLength(2);
  for (const device of devices) expect(device).toMatchObject({ bus: 'pcie.0' });
});

test('a template has no CXL device, and its memory in a file of its folder', () => {
  const args = templateArguments(spec);
  expect(args.join(' ')).not.toContain('cxl-type3');
  expect(args.join(' ')).toContain('"mem-path":"/runs/1/ram","share":true');
  expect(valueOf(args, '-append')).toBe(valueOf(qemuArguments(spec), '-append'));
});

test('a resumed guest has its devices, reads the memory of the template, and its CPUs take turns', () => {
  const args = resumedArguments(spec, '/cache/templates/x');
  expect(args.join(' ')).toContain('cxl-type3');
  expect(args.join(' ')).toContain('"mem-path":"/cache/templates/x/ram","share":false,"readonly":true');
  expect(valueOf(args, '-accel')).toBe('tcg,thread=single');
  expect(valueOf(args, '-incoming')).toBe('defer');
});

test('qemu.sh gives a shell the same words, and those it is called with', async () => {
  const script = qemuScript(spec, 'printf').replace('printf \\', "printf '%s\\n' \\");
  const { stdout } = await execa('sh', ['-s', '--', '-S'], { input: script });
  const words = stdout.split('\n');
  expect(words).toContain(spec.kernel.image);
  for (const arg of spec.machine.qemuArgs) expect(words).toContain(arg);
  expect(valueOf(words, '-initrd')).toBe(spec.initramfs);
  expect(words.at(-1)).toBe('-S');
});

test('qemu.sh keeps a multi-line origin in its comment', () => {
  expect(qemuScript(spec, 'qemu').split('\n')[1]).toMatch(/^# one-volatile.*trixie-backports/);
});

test('quoting leaves plain words as they are and protects all others', () => {
  expect(quote('/a/b-c_d=1,2:3')).toBe('/a/b-c_d=1,2:3');
  expect(quote('')).toBe("''");
  expect(quote("it's $HOME")).toBe(`'it'\\''s $HOME'`);
});
