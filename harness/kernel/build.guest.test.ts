import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage } from '../image/index.js';
import { testFolder, testGuest } from '../testing/guest.js';
import { cachedThings, resolveKernel } from './index.js';

/**
 * A kernel from nothing takes 17 minutes of processor time, so this is done where CXLRIG_TEST_KERNEL_BUILD=1 says so.
 * The cache serves: where the kernel is there already, only the boot and the one-file change are left.
 */
const wanted = process.env['CXLRIG_TEST_KERNEL_BUILD'] === '1';
const HOURS_MS = 60 * 60_000;
const DESCRIPTION = 'changed by a patch of the test';

describe.skipIf(!wanted)('a real kernel built from Debian source', () => {
  it(
    'boots, and a change of one file in drivers/dax is built in about a minute and is in the guest',
    async () => {
      const began = Date.now();
      const kernel = await resolveKernel('minimal');
      report('minimal', began);
      expect(kernel.format).toBe('elf');

      const patch = await describeKmemAnew(join(await pristineSources(), 'drivers/dax/kmem.c'));
      const beganPatched = Date.now();
      const patched = await resolveKernel('minimal', { patches: [patch] });
      report('minimal with a one-file patch', beganPatched);
      expect(patched.id).not.toBe(kernel.id);

      const { initramfs } = await buildImage(patched);
      const guest = await testGuest('one-volatile', { kernel: patched, initramfs });
      const { stdout } = await guest.exec('uname -r; modinfo -F description kmem; ls /sys/bus/cxl/devices', {
        timeoutMs: 60_000,
      });
      const [release, description, ...devices] = stdout.toString().trim().split('\n');
      expect(release).toBe(patched.release);
      expect(description).toBe(DESCRIPTION);
      expect(devices).toContain('mem0');
    },
    3 * HOURS_MS,
  );
});

/** The sources as they were unpacked last, which no patch has touched. */
async function pristineSources(): Promise<string> {
  const things = await cachedThings();
  const unpacked = things
    .filter(({ kind, path }) => kind === 'source' && existsSync(join(path, 'tree')))
    .sort((a, b) => b.usedMs - a.usedMs)[0];
  if (!unpacked) throw new Error('the cache has no kernel sources');
  return join(unpacked.path, 'tree');
}

async function describeKmemAnew(file: string): Promise<string> {
  const dir = await testFolder();
  const text = await readFile(file, 'utf8');
  const write = async (side: string, content: string) => {
    const path = join(dir, side, 'drivers/dax/kmem.c');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  };
  await write('a', text);
  await write('b', text.replace(/MODULE_DESCRIPTION\(".*"\)/, `MODULE_DESCRIPTION("${DESCRIPTION}")`));
  const { stdout } = await execa('git', ['diff', '--no-index', 'a', 'b'], { cwd: dir, reject: false });
  const patch = join(dir, '0001-describe-kmem-anew.patch');
  await writeFile(patch, `${stdout.replaceAll('a/a/', 'a/').replaceAll('b/b/', 'b/')}\n`);
  return patch;
}

function report(what: string, began: number): void {
  process.stdout.write(`${what}: ${((Date.now() - began) / 1000).toFixed(0)} s\n`);
}
