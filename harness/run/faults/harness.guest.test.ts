import { readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, vi } from 'vitest';
import { faultTest } from '../../testing/fault.js';
import { bootableStock } from '../../testing/stock.js';
import {
  bench,
  scenario,
  start,
  onSmallDisk,
  finished,
  leftIn,
  gone,
  inAStep,
  qemuOf,
  parentOf,
  killed,
  interrupted,
  now,
  secondsSince,
  MINUTE,
  type Bench,
} from './testing/bench.js';
import { copiedCache, inCopy } from './testing/copied-cache.js';
import { jumpingClock, silentMirror } from './testing/evil-host.js';

/** Everything is there before anything is timed. */
beforeAll(async () => {
  await bootableStock();
});

describe('what goes wrong with the run', () => {
  faultTest(
    {
      fault: "the host's clock jumps by hours, forth and back",
      in: 'rig',
      outcome: 'pass',
      says: /1 pass/,
      withinSeconds: 60,
      remark: 'the clock that JavaScript sees, in the run and its workers; the machine has other users',
    },
    async () => {
      const work = await bench('sleep 3', 'leaves-no-trace: true\n');
      return finished(start(work, { env: { NODE_OPTIONS: `--import=${await jumpingClock(work)}` } }));
    },
  );

  faultTest(
    {
      fault: 'a worker is killed (SIGKILL) in a step',
      in: 'rig',
      outcome: 'infra',
      says: /INFRA/,
      withinSeconds: 30,
    },
    async () => {
      const work = await bench('sleep 100');
      const run = start(work);
      await inAStep(work);
      return finished(run, () => killed(qemuOf(work).then(parentOf)));
    },
  );

  faultTest(
    {
      fault: 'the harness is killed (SIGKILL) in a step',
      in: 'rig',
      outcome: 'the next run passes',
      says: /1 pass/,
      withinSeconds: 15,
    },
    async () => {
      const work = await bench('sleep 100');
      const run = start(work);
      await inAStep(work);
      const from = now();
      run.command.kill('SIGKILL');
      await run.command;
      await gone(work.dir);
      const seconds = secondsSince(from);
      // its guest is gone; its files are not, until the next run finds that nobody is left to clear them up
      expect(await leftIn(work.dir)).not.toEqual([]);
      await writeFile(work.scenario, scenario('true'));
      const next = await finished(start(work));
      return { ...next, outcome: next.outcome === 'pass' ? 'the next run passes' : next.outcome, seconds };
    },
  );

  const phases: readonly (readonly [string, (work: Bench) => Promise<unknown>])[] = [
    ['while a guest boots', (work) => vi.waitFor(() => qemuOf(work), { timeout: MINUTE, interval: 20 })],
    ['in a step', inAStep],
  ];
  for (const [phase, reached] of phases) {
    faultTest(
      {
        fault: `Ctrl-C ${phase}`,
        in: 'rig',
        outcome: 'interrupted (exit 130)',
        says: /interrupted/,
        withinSeconds: 10,
      },
      async () => {
        const work = await bench('sleep 100');
        const run = start(work);
        await reached(work);
        return finished(run, () => interrupted(run));
      },
    );
  }

  faultTest(
    {
      fault: 'Ctrl-C while something is fetched',
      in: 'rig',
      outcome: 'interrupted (exit 130)',
      says: /interrupted/,
      withinSeconds: 10,
    },
    async () => {
      const work = await bench();
      const mirror = await silentMirror();
      const run = start(work, {
        args: ['--mirror', mirror.url],
        env: { CXLRIG_CACHE: join(work.dir, 'cache'), CXLRIG_MIRROR: undefined },
      });
      await mirror.asked;
      return finished(run, () => interrupted(run));
    },
  );

  faultTest(
    {
      fault: 'Ctrl-C while an image is built',
      in: 'rig',
      outcome: 'interrupted (exit 130)',
      says: /interrupted/,
      withinSeconds: 10,
    },
    async () => {
      const work = await bench();
      const cache = await copiedCache(work);
      await rm(dirname(await inCopy(cache, 'initramfs')), { recursive: true });
      const run = start(work, { env: { CXLRIG_CACHE: cache } });
      const drafts = async (): Promise<string[]> =>
        (await readdir(join(cache, 'images'))).filter((name) => name.includes('.draft-'));
      await vi.waitFor(async () => expect(await drafts()).not.toEqual([]), { timeout: MINUTE, interval: 20 });
      return finished(run, () => interrupted(run));
    },
  );

  faultTest(
    {
      fault: 'disk full when a guest is to boot',
      in: 'rig',
      outcome: 'infra',
      says: /cannot be written: ENOSPC/,
      withinSeconds: 60,
    },
    async () => {
      const work = await bench();
      return finished(onSmallDisk(work, join(work.dir, 'runs'), '20m', []));
    },
  );

  faultTest(
    {
      fault: 'disk full while the trace is written',
      in: 'rig',
      outcome: 'infra',
      says: /trace of .* cannot be written.*ENOSPC/,
      withinSeconds: 90,
    },
    async () => {
      const work = await bench('sleep 5');
      const runs = join(work.dir, 'runs');
      const fill = `(until grep -qs cxlrig-init:.ready ${runs}/*/guests/*/console.log; do sleep 0.2; done; sleep 2; cat /dev/zero > ${runs}/filler) 2>/dev/null &`;
      return finished(onSmallDisk(work, runs, '200m', [fill]));
    },
  );
});
