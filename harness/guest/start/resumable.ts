import { readFile } from 'node:fs/promises';
import type { GuestSpec } from '../guest.js';

/**
 * Why a guest of this kind is never resumed. Its CXL devices are found after the resume, by drivers that are loaded then: as
 * at a boot, but for a kernel that has them built in, which looks for them while it boots.
 * @returns undefined when nothing speaks against it
 */
export async function coldReason({ kernel, accelerator, cmdline }: GuestSpec): Promise<string | undefined> {
  if (accelerator !== 'tcg') return `templates are for TCG, not ${accelerator}`;
  if (cmdline.length > 0) return `it has a kernel command line of its own: ${cmdline.join(' ')}`;
  const builtIn = await builtInDrivers(kernel.config);
  if (builtIn.length > 0) return `its kernel has ${builtIn.join(' and ')} built in`;
  return undefined;
}

async function builtInDrivers(config: string): Promise<string[]> {
  const text = await readFile(config, 'utf8').catch(() => '');
  return [...text.matchAll(/^CONFIG_(CXL_ACPI|CXL_PCI)=y$/gm)].map(([, name]) => (name ?? '').toLowerCase());
}
