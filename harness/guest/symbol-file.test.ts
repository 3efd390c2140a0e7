import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { symbolFile } from './symbol-file.js';

const KALLSYMS = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _text
ffffffff81622800 t size_store
ffffffff81722800 t size_store
ffffffff82000010 D jiffies
ffffffffc0028d50 t cxl_acpi_probe	[cxl_acpi]
`;

test('the symbols of a running kernel and its modules are a file that binutils and gdb read, of one name as many as there are', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cxlrig-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'symbols.elf');
  await writeFile(file, symbolFile(KALLSYMS));
  const { stdout } = await execa('nm', ['-n', file]);
  expect(stdout.split('\n').map((line) => line.replace(/ . /, ' '))).toEqual([
    'ffffffff81000000 _text',
    'ffffffff81622800 size_store',
    'ffffffff81722800 size_store',
    'ffffffff82000010 jiffies',
    'ffffffffc0028d50 cxl_acpi_probe',
  ]);
  const { stdout: sections } = await execa('readelf', ['-SW', file]);
  expect(sections).toMatch(/\.kernel +NOBITS +ffffffff81000000 \S+ 1001000/);
  expect(sections).toMatch(/\.modules +NOBITS +ffffffffc0028000 \S+ 001000/);
});
