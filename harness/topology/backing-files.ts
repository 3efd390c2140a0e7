import { join } from 'node:path';
import type { MachinePlan, PlannedDevice } from './plan.js';

/** The file behind a part of a device's capacity, in a machine of `withBackingFiles`. */
export function backingFile(
  folder: string,
  { id }: Pick<PlannedDevice, 'id'>,
  part: 'volatile' | 'persistent' | 'dynamic',
): string {
  return join(folder, `${id}-${part}`);
}

/** The same machine with a sparse file of the folder behind each capacity: what the guest writes is seen from outside. */
export function withBackingFiles(plan: MachinePlan, folder: string): MachinePlan {
  const files = new Set(
    plan.devices.flatMap((device) =>
      (['volatile', 'persistent', 'dynamic'] as const).map((part) => backingFile(folder, device, part)),
    ),
  );
  const qemuArgs = plan.qemuArgs.map((value, n) => {
    if (plan.qemuArgs[n - 1] !== '-object') return value;
    const { id, size } = JSON.parse(value) as { id: string; size: number };
    const path = join(folder, id);
    if (!files.has(path)) return value;
    return JSON.stringify({ 'qom-type': 'memory-backend-file', id, size, 'mem-path': path, share: true });
  });
  return { ...plan, qemuArgs };
}
