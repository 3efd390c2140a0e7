import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestSpec } from '../guest.js';
import { coldReason } from './resumable.js';

async function reasonFor(config: string, changes: Partial<GuestSpec> = {}): Promise<string | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'cxlrig-resumable-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, 'config'), config);
  const kernel = { config: join(dir, 'config') };
  return coldReason({ kernel, accelerator: 'tcg', cmdline: [], ...changes } as unknown as GuestSpec);
}

test('a kernel with its CXL drivers as modules can be resumed', async () => {
  expect(await reasonFor('CONFIG_CXL_BUS=y\nCONFIG_CXL_ACPI=m\nCONFIG_CXL_PCI=m\n')).toBeUndefined();
});

test('a kernel that looks for CXL devices while it boots is booted', async () => {
  expect(await reasonFor('CONFIG_CXL_PCI=y\nCONFIG_CXL_ACPI=y\n')).toBe(
    'its kernel has cxl_pci and cxl_acpi built in',
  );
});

test('so is a guest under KVM, or with a kernel command line of its own', async () => {
  expect(await reasonFor('', { accelerator: 'kvm' })).toMatch(/TCG/);
  expect(await reasonFor('', { cmdline: ['quiet'] })).toMatch(/quiet/);
});
