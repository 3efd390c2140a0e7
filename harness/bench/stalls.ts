import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootGuest, type GuestSpec } from '../guest/index.js';
import { inFolder, median, print, specFor } from './measuring.js';
import type { Section } from './section.js';

/** Boots the largest machine over and over, and counts the starts that stand still. */
export const stalls: Section = {
  does: 'cold boots that stand still, half of N with one CPU and half with two: [N] [--jobs J] [--kernel K] [--topology T]',
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        kernel: { type: 'string', default: 'stock' },
        topology: { type: 'string', default: 'two-bridges-two-switches' },
        jobs: { type: 'string', default: '1' },
      },
    });
    const [total, jobs] = [Number(positionals[0] ?? '20'), Number(values.jobs)];
    const tallies = await inFolder(async (folder) => {
      const spec = await specFor(values.kernel, values.topology, folder);
      const queue = Array.from({ length: total }, (_, n) => ({
        cpus: (n % 2) + 1,
        dir: join(folder, `${n}`),
      }));
      const tally = new Map(
        [1, 2].map((cpus) => [cpus, { boots: 0, stalls: 0, milliseconds: [] as number[] }]),
      );
      const worker = async (): Promise<void> => {
        for (let next = queue.shift(); next; next = queue.shift()) {
          const { cpus, dir } = next;
          await mkdir(dir);
          const mine = tally.get(cpus);
          const guest = await bootGuest(
            { ...withCpus(spec, cpus), dir },
            {
              onStall: (where) => {
                if (mine) mine.stalls += 1;
                print(`stood still with ${cpus} CPUs: ${where}`);
              },
            },
          );
          mine?.milliseconds.push(guest.bootMilliseconds);
          if (mine) mine.boots += 1;
          await guest.stop();
        }
      };
      await Promise.all(Array.from({ length: jobs }, worker));
      return tally;
    });
    const each = [...tallies].map(
      ([cpus, { boots, stalls: stood, milliseconds }]) =>
        `${stood} of ${boots + stood} starts with ${cpus} CPU${cpus === 1 ? '' : 's'} (median ${(median(milliseconds) / 1000).toFixed(1)} s)`,
    );
    print(`stalls of ${values.topology} on ${values.kernel}, ${jobs} at a time: ${each.join(', ')}`);
  },
};

/** The number of CPUs is the first thing that a plan tells QEMU. */
function withCpus(spec: GuestSpec, cpus: number): GuestSpec {
  const qemuArgs = spec.machine.qemuArgs.map((value, n, all) => (all[n - 1] === '-smp' ? `${cpus}` : value));
  return { ...spec, machine: { ...spec.machine, cpus, qemuArgs } };
}
