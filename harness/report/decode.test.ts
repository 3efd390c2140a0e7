import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stackDecoder } from './decode.js';

const run = promisify(execFile);

const SOURCE = `int other(int x)
{
  return x * 3;
}
int dev_dax_kmem_probe(int x)
{
  return other(x) + 1;
}
int main(void) { return dev_dax_kmem_probe(1); }
`;

let dir: string;
let size: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cxlrig-decode-'));
  await mkdir(join(dir, 'drivers', 'dax'), { recursive: true });
  await writeFile(join(dir, 'drivers', 'dax', 'kmem.c'), SOURCE);
  await run('gcc', ['-g', '-O0', '-o', 'vmlinux', 'drivers/dax/kmem.c'], { cwd: dir });
  await run('cp', ['vmlinux', 'drivers/dax/kmem.ko'], { cwd: dir });
  const { stdout } = await run('nm', ['-S', join(dir, 'vmlinux')]);
  size = `0x${/^\w+ 0*([1-9a-f]\w*) T dev_dax_kmem_probe$/m.exec(stdout)?.[1] ?? ''}`;
});
afterAll(() => rm(dir, { recursive: true }));

describe('source lines of a stack trace', () => {
  test('are put to the addresses of the kernel and of modules, named as in the tree', async () => {
    const decoder = stackDecoder(join(dir, 'vmlinux'));
    const text = ` dev_dax_kmem_probe+0x0/${size}\n dev_dax_kmem_probe+0x0/${size} [kmem]\n`;
    expect(await decoder.decode(text)).toBe(
      ` dev_dax_kmem_probe+0x0/${size} (drivers/dax/kmem.c:6)\n dev_dax_kmem_probe+0x0/${size} [kmem] (drivers/dax/kmem.c:6)\n`,
    );
  });

  test('are left out where nothing is known: another symbol, module or file', async () => {
    const text = 'no_such_function+0x1/0x20 dev_dax_kmem_probe+0x0/0x9 [other_module]';
    expect(await stackDecoder(join(dir, 'vmlinux')).decode(text)).toBe(text);
    expect(await stackDecoder(join(dir, 'missing')).decode(text)).toBe(text);
  });
});
