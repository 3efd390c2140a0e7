import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../base/places.js';
import type { RunEnvironment } from '../trace/trace.js';
import type { Bootable } from './briefing.js';

/** What the run stands on, for run.json: whoever reads a verdict must be able to repeat it. */
export async function describeEnvironment(
  bootables: readonly Bootable[],
  qemu: string,
  choice: { readonly accelerator: string; readonly reason: string },
): Promise<RunEnvironment> {
  return {
    cxlrig: await ownVersion(),
    node: process.version,
    qemu,
    accelerator: choice.accelerator,
    acceleratorReason: choice.reason,
    host: {
      kernel: release(),
      cpus: cpus().length,
      memoryBytes: totalmem(),
      distribution: await distribution(),
    },
    kernels: bootables.map(({ kernel, tools }) => ({
      profile: kernel.profile,
      release: kernel.release,
      id: kernel.id,
      origin: kernel.origin,
      ...(kernel.source !== undefined && { source: kernel.source }),
      ...(kernel.series && { series: kernel.series }),
      ...(kernel.configHash !== undefined && { configHash: kernel.configHash }),
      tools,
    })),
  };
}

export async function ownVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

async function distribution(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] ?? 'unknown';
}
