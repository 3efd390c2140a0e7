import type { MachinePlan } from './plan.js';
import { typeThree } from './qemu-args.js';

/** The machine's own memory as files of a folder; `private`: what the guest writes stays with its QEMU. */
export interface MemoryFiles {
  readonly folder: string;
  readonly access: 'shared' | 'private';
}

/**
 * The machine's arguments without its type-3 devices and what is behind them: all machines for which these are the same
 * can go on from one template, as the devices are found anew after a resume.
 */
export function argsWithoutDevices({ qemuArgs, devices }: MachinePlan): string[] {
  const own = new Set(
    devices.flatMap((planned) => {
      const { objects, device } = typeThree(planned);
      return [...objects, device].map(({ id }) => id);
    }),
  );
  const idOf = (json: string): unknown => (JSON.parse(json) as { id?: string }).id;
  return pairs(qemuArgs)
    .filter(([option, value]) => !(['-device', '-object'].includes(option) && own.has(idOf(value))))
    .flat();
}

/**
 * The same arguments with the machine's own memory in files: the nodes' where there are several, else one named `ram`.
 * @param args a plan's `qemuArgs`, or those without devices
 */
export function argsWithMemoryFiles(
  args: readonly string[],
  memoryBytes: number,
  { folder, access }: MemoryFiles,
): string[] {
  const file = (id: string, size: number): string[] => [
    '-object',
    JSON.stringify({
      'qom-type': 'memory-backend-file',
      id,
      size,
      'mem-path': `${folder}/${id}`,
      share: access === 'shared',
      ...(access === 'private' && { readonly: true, rom: 'off' }),
    }),
  ];
  let ofNodes = 0;
  const changed = pairs(args).flatMap(([option, value]) => {
    const node = option === '-object' ? nodeMemory(value) : undefined;
    if (!node) return [option, value];
    ofNodes += 1;
    return file(node.id, node.size);
  });
  if (ofNodes > 0) return changed;
  return [...file('ram', memoryBytes), '-M', 'memory-backend=ram', ...changed];
}

function nodeMemory(json: string): { id: string; size: number } | undefined {
  const object = JSON.parse(json) as { id: string; size: number };
  return /^node\d+-memory$/.test(object.id) ? object : undefined;
}

/** Each of a plan's options has one value. */
function pairs(args: readonly string[]): [option: string, value: string][] {
  return Array.from({ length: args.length / 2 }, (_, n) => [args[2 * n] ?? '', args[2 * n + 1] ?? '']);
}
