import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { sampleRun } from '../testing/sample-run.js';
import { qemuScriptForPeople } from './qemu.js';

const run = promisify(execFile);

const OF_GUEST = `#!/bin/sh
# one-volatile, kernel 7.3.4+deb13-cloud-amd64 (Debian 7.3.4-1~bpo13+1)
exec qemu-system-x86_64 \\
  -M q35,cxl=on \\
  -kernel '/cache dir/vmlinux' \\
  -append 'console=ttyS0 quiet' \\
  -initrd /cache/initramfs \\
  -serial chardev:console \\
  "$@"
`;

async function forPeople(script: string): Promise<string | undefined> {
  const { traces } = await sampleRun();
  return traces[0] && qemuScriptForPeople(script, traces[0]);
}

describe('qemu.sh', () => {
  test('keeps the command line, with kernel and initramfs for the person to choose', async () => {
    const script = (await forPeople(OF_GUEST)) ?? '';
    expect(script).toContain("KERNEL=${KERNEL:-'/cache dir/vmlinux'}");
    expect(script).toContain('INITRD=${INITRD:-/cache/initramfs}');
    expect(script).toContain(
      '  -kernel "$KERNEL" \\\n  -append \'console=ttyS0 quiet\' \\\n  -initrd "$INITRD" \\',
    );
    await expect(run('sh', ['-n', '-c', script])).resolves.toBeDefined();
  });

  test('says what is missing before it starts anything', async () => {
    const script = (await forPeople(OF_GUEST)) ?? '';
    await expect(run('sh', ['-c', script])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('/cache dir/vmlinux is not there') as string,
    });
  });

  test('is left alone when it was made already, and not made of what it does not know', async () => {
    const script = (await forPeople(OF_GUEST)) ?? '';
    expect(await forPeople(script)).toBe(script);
    expect(await forPeople('#!/bin/sh\necho hello\n')).toBeUndefined();
  });
});
