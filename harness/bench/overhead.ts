import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startGuest } from '../guest/index.js';
import type { CaseTrace } from '../trace/trace.js';
import { inFolder, print, printTable, specFor, timedRun } from './measuring.js';
import type { Section } from './section.js';

/**
 * What a run costs beyond what it does: `cxlrig run` of a scenario, against as many guests started the same way and the
 * same lines given to one `sh` in the last of them.
 */
export const overhead: Section = {
  does: 'cxlrig run of a scenario against bare guests and the same lines by sh: [scenario] [-t pattern]',
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { t: { type: 'string', short: 't' } },
    });
    const scenario = positionals[0] ?? 'current/cxl-cli';
    await inFolder(async (folder) => {
      const command = [scenario, ...(values.t === undefined ? [] : ['-t', values.t]), '--jobs', '1'];
      const timed = (name: string) => timedRun(command, join(folder, name), { reject: true });
      await timed('first'); // fills the cache, so that the second one is what is measured
      const { milliseconds: harness, traces } = await timed('second');
      const fresh = traces.filter(({ guest }) => guest && !guest.reused);
      const bare = await byHand(fresh, traces.flatMap(linesOf), folder);
      print(`${scenario}: ${traces.length} cases, ${fresh.length} guests`);
      const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;
      printTable([
        ['cxlrig run', 'guests, and lines by sh', 'ratio', 'more'],
        [seconds(harness), seconds(bare), (harness / bare).toFixed(2), seconds(harness - bare)],
      ]);
    });
  },
};

function linesOf({ steps }: CaseTrace): string[] {
  return steps.flatMap(({ lines }) =>
    lines.filter(({ channel }) => channel === 'sh').map(({ text }) => text),
  );
}

/** Milliseconds to start as many guests, one after the other, and to run the lines in the last one with one `sh`. */
async function byHand(
  fresh: readonly CaseTrace[],
  lines: readonly string[],
  folder: string,
): Promise<number> {
  const dirs = fresh.map((_, n) => join(folder, `guest-${n}`));
  const specs = await Promise.all(
    fresh.map(async ({ case: { kernel }, machine }, n) => ({
      ...(await specFor(kernel, 'none', dirs[n] ?? '')),
      machine,
    })),
  );
  await Promise.all(dirs.map((dir) => mkdir(dir)));
  const began = performance.now();
  for (const [n, spec] of specs.entries()) {
    const cold = fresh[n]?.guest?.boot === 'resumed' ? undefined : 'as in the run';
    const guest = await startGuest(spec, { cold });
    try {
      if (n === specs.length - 1) {
        const script = lines.map((line) => `{ ${line}\n} > /dev/null 2>&1`).join('\n');
        await guest.exec(script, { timeoutMs: 300_000 });
      }
    } finally {
      await guest.stop();
    }
  }
  return performance.now() - began;
}
