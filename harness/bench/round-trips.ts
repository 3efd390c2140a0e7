import { readState } from '../abi/index.js';
import { startGuest } from '../guest/index.js';
import { cpuMilliseconds } from '../guest/start/progress.js';
import { guestArguments, inFolder, median, printTable, specFor } from './measuring.js';
import type { Section } from './section.js';

const LINE = 'echo online > /sys/devices/system/memory/auto_online_blocks';
const SOON = { timeoutMs: 60_000 };

/** What a line costs that is typed in the long-lived shell, run on a channel of its own, or given to one `sh` in bulk. */
export const roundTrips: Section = {
  does: 'a line and a snapshot of the state, by each way into the guest: [N] [--kernel K] [--topology T]',
  async run(args) {
    const { values, positionals } = guestArguments(args);
    const times = Number(positionals[0] ?? '50');
    await inFolder(async (dir) => {
      const guest = await startGuest(await specFor(values.kernel, values.topology, dir));
      try {
        const rows = [['', 'wall', 'CPU time of QEMU', 'CPU time of the harness']];
        const measure = async (name: string, work: () => Promise<unknown>, per = 1): Promise<void> => {
          const walls: number[] = [];
          const guestBefore = cpuMilliseconds(guest.pid) ?? 0;
          const ownBefore = process.cpuUsage();
          const rounds = Math.ceil(times / per);
          for (let n = 0; n < rounds; n += 1) {
            const began = performance.now();
            await work();
            walls.push((performance.now() - began) / per);
          }
          const own = process.cpuUsage(ownBefore);
          const share = (milliseconds: number): string => `${(milliseconds / rounds / per).toFixed(2)} ms`;
          rows.push([
            name,
            `${median(walls).toFixed(1)} ms`,
            share((cpuMilliseconds(guest.pid) ?? 0) - guestBefore),
            share((own.user + own.system) / 1000),
          ]);
        };
        const bulk = Array.from({ length: times }, () => LINE).join('\n');
        await measure('a line of many by one sh in the guest', () => guest.exec(bulk, SOON), times);
        await measure('a line typed', () => guest.type(LINE, SOON));
        await measure('a line on a channel of its own', () => guest.exec(LINE, SOON));
        await measure('a snapshot of the state', () => readState(guest));
        await measure('a QMP command', () => guest.qmp('query-status'));
        printTable(rows);
      } finally {
        await guest.stop();
      }
    });
  },
};
