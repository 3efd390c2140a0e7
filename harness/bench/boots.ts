import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bootGuest, startGuest } from '../guest/index.js';
import {
  guestArguments,
  inFolder,
  measured,
  median,
  print,
  printTable,
  privateMib,
  specFor,
  spread,
  type Measured,
} from './measuring.js';
import type { Section } from './section.js';

/** Boots and resumes by turns, so that what else the host does burdens both alike. */
export const boots: Section = {
  does: 'cold boot against resume, by turns: [N] [--kernel K] [--topology T]',
  async run(args) {
    const { values, positionals } = guestArguments(args);
    const turns = Number(positionals[0] ?? '5');
    await inFolder(async (folder) => {
      let guests = 0;
      const cost = async (start: typeof bootGuest | typeof startGuest) => {
        const dir = join(folder, `${(guests += 1)}`);
        await mkdir(dir);
        const result = await measured(await specFor(values.kernel, values.topology, dir), start);
        const mib = privateMib(result.guest.pid);
        await result.guest.stop();
        return { ...result, mib };
      };
      const first = await cost(startGuest);
      print(
        `first guest, with the template made if there was none: ${(first.milliseconds / 1000).toFixed(2)} s`,
      );
      const [cold, resumed]: [Awaited<ReturnType<typeof cost>>[], Awaited<ReturnType<typeof cost>>[]] = [
        [],
        [],
      ];
      for (let turn = 0; turn < turns; turn += 1) {
        cold.push(await cost(bootGuest));
        resumed.push(await cost(startGuest));
      }
      const row = (name: string, all: readonly (Measured & { mib: number })[]): string[] => [
        name,
        spread(all.map(({ milliseconds }) => milliseconds)),
        spread(all.map(({ cpuMilliseconds }) => cpuMilliseconds)),
        `${Math.round(median(all.map(({ mib }) => mib)))} MiB`,
      ];
      const ratio = (value: (one: Measured & { mib: number }) => number): string =>
        (median(resumed.map(value)) / median(cold.map(value))).toFixed(2);
      printTable([
        [
          `${values.kernel}, ${values.topology}`,
          'to the first answer',
          'CPU time of QEMU',
          'memory of its own',
        ],
        row('cold', cold),
        row('resumed', resumed),
        [
          'ratio',
          ratio(({ milliseconds }) => milliseconds),
          ratio(({ cpuMilliseconds }) => cpuMilliseconds),
          ratio(({ mib }) => mib),
        ],
      ]);
    });
  },
};
