import { expect, onTestFinished, test, vi } from 'vitest';
import { makeGuestPool, type GuestMaker } from './guest-pool.js';
import type { HeldMachine } from './machine-group.js';
import type { PlannedCase } from './planned-case.js';
import { makeSchedule } from './schedule.js';
import type { RunningGuest } from '../guest/index.js';
import type { ScenarioCase } from '../scenario/index.js';
import type { State } from '../abi/index.js';
import { plannedCase } from './testing/planned.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HELD: HeldMachine = { kernel: 'stock', machineKey: 'one', isCold: false, isUnused: false };

function several(count: number, changes: Partial<PlannedCase> = {}): PlannedCase[] {
  return Array.from({ length: count }, () => plannedCase(changes));
}

/** Guests that were started for the plan, by the real pool of each worker on guests that are none. */
async function guestsFor(plan: readonly PlannedCase[], jobs: number): Promise<PlannedCase[][]> {
  const runDir = await mkdtemp(join(tmpdir(), 'cxlrig-schedule-'));
  onTestFinished(() => rm(runDir, { recursive: true }));
  const bootables = ['stock', 'debian-stable'].map((profile) => ({ kernel: { profile }, initramfs: '' }));
  const guests: PlannedCase[][] = [];
  const fake: GuestMaker = {
    start: (_spec, options) => {
      guests.push([]);
      const guest = {
        start: { how: options?.cold === undefined ? 'resumed' : 'cold' },
        stop: () => Promise.resolve(),
      };
      return Promise.resolve({ ...guest, number: guests.length - 1 } as unknown as RunningGuest);
    },
    read: () => Promise.resolve({} as State),
  };
  const schedule = makeSchedule(plan);
  const workers = Array.from({ length: jobs }, () =>
    makeGuestPool({ bootables, runDir, accelerator: 'tcg' } as never, fake),
  );
  // all cases take the same time, so that the workers take turns
  for (let busy = true; busy;) {
    busy = false;
    for (const [worker, pool] of workers.entries()) {
      const planned = schedule.next(worker, pool.held());
      if (!planned) continue;
      busy = true;
      const lent = await pool.lend(planned, { cmdline: [] } as unknown as ScenarioCase, {
        fresh: false,
        onBoot: () => undefined,
      });
      guests[(lent.guest as unknown as { number: number }).number]?.push(planned);
      await pool.giveBack({ clean: true, used: true });
    }
  }
  expect(guests.flat()).toHaveLength(plan.length);
  return guests;
}

test('two kernels, planned case by case, take one guest each, side by side', async () => {
  const plan = Array.from({ length: 11 }, (_, n) => `case-of-both-${n}`).flatMap((caseId) => [
    plannedCase({ caseId, kernel: 'stock' }),
    plannedCase({ caseId, kernel: 'debian-stable' }),
  ]);
  const guests = await guestsFor(plan, 2);
  expect(guests.map((served) => served.map(({ kernel }) => kernel))).toEqual([
    Array(11).fill('stock'),
    Array(11).fill('debian-stable'),
  ]);
  expect(await guestsFor(plan, 1)).toHaveLength(2);
});

test('a guest serves the cases of all files that want its machine', async () => {
  const plan = ['a.yaml', 'b.yaml', 'a.yaml'].map((file) => plannedCase({ file }));
  expect(await guestsFor([...plan, plannedCase({ machineKey: 'two' })], 1)).toHaveLength(2);
});

test('one group keeps all workers busy when it takes longer than to start a guest', async () => {
  const guests = await guestsFor(several(16), 2);
  expect(guests.map(({ length }) => length)).toEqual([8, 8]);
  expect(await guestsFor(several(2, { expectedMs: 500 }), 2)).toHaveLength(1);
});

test('a case with a guest of its own gets one, and the others share theirs', async () => {
  const plan = [...several(2), plannedCase({ isOwn: true, coldReason: 'boot: cold' }), ...several(2)];
  const guests = await guestsFor(plan, 1);
  expect(guests.map(({ length }) => length).sort()).toEqual([1, 4]);
});

test('a guest that was booted for cases that need it serves those that do not, too', async () => {
  const plan = [...several(3), ...several(9, { coldReason: 'steps in parallel' })];
  expect(await guestsFor(plan, 1)).toHaveLength(1);
});

test('the longest group is begun first, and the other kernel of one that is under way before that', () => {
  const [short, long, sibling] = [
    plannedCase({ machineKey: 'short', expectedMs: 100 }),
    plannedCase({ machineKey: 'long', expectedMs: 9000 }),
    plannedCase({ machineKey: 'short', kernel: 'debian-stable', expectedMs: 100 }),
  ];
  const schedule = makeSchedule([
    short,
    sibling,
    long,
    plannedCase({ machineKey: 'middle', expectedMs: 500 }),
  ]);
  expect(schedule.next(0, undefined)).toBe(long);
  expect(schedule.next(1, { ...HELD, machineKey: 'short' })).toBe(short);
  expect(schedule.next(2, undefined)).toBe(sibling);
});

test('cases that the kernel may lack something for come after those that surely run', () => {
  const [maybe, sure] = [plannedCase({ maySkip: true, expectedMs: 9000 }), plannedCase()];
  const other = plannedCase({ machineKey: 'two', maySkip: true, expectedMs: 20_000 });
  const schedule = makeSchedule([other, maybe, sure]);
  expect([0, 1, 2].map((worker) => schedule.next(worker, undefined))).toEqual([sure, other, maybe]);
});

test('what a worker was at when it died goes on in another', () => {
  const plan = several(3);
  const schedule = makeSchedule(plan);
  schedule.next(0, undefined);
  expect(schedule.waitingMs()).toBe(2000);
  schedule.leave(0);
  expect(schedule.next(1, undefined)).toBe(plan[1]);
  expect(schedule.drain()).toEqual([plan[2]]);
  expect(schedule.next(1, HELD)).toBeUndefined();
  expect(schedule.waitingMs()).toBe(0);
});

test('what comes next is kept for the worker that makes a guest ready for it', () => {
  const [first, again, next, last] = [
    plannedCase(),
    plannedCase(),
    plannedCase({ machineKey: 'two', expectedMs: 5000 }),
    plannedCase({ machineKey: 'three' }),
  ];
  const schedule = makeSchedule([first, again, next, last]);
  expect(schedule.next(0, { ...HELD, machineKey: 'one' })).toBe(first);
  // its guest is good for one more
  expect(schedule.ahead(0)).toBeUndefined();
  expect(schedule.next(0, HELD)).toBe(again);
  expect(schedule.ahead(0)).toBe(next);
  expect(schedule.ahead(0)).toBeUndefined();
  expect(schedule.next(1, undefined)).toBe(last);
  expect(schedule.next(0, HELD)).toBe(next);
});

test('what is kept for a worker that dies goes to another', () => {
  const [first, next] = [plannedCase(), plannedCase({ machineKey: 'two' })];
  const schedule = makeSchedule([first, next]);
  schedule.next(0, { ...HELD, machineKey: 'one' });
  expect(schedule.ahead(0)).toBe(next);
  schedule.leave(0);
  expect(schedule.next(1, undefined)).toBe(next);
});

test('a guest that was made ready serves the case that it was made for, and is ended when another comes', async () => {
  const { started, stopped, pool } = await countedPool();
  const [one, two, other] = [
    plannedCase(),
    plannedCase({ machineKey: 'two' }),
    plannedCase({ machineKey: 'three' }),
  ];
  const lend = (planned: PlannedCase) => pool.lend(planned, CASE, { fresh: false, onBoot: () => undefined });
  await lend(one);
  pool.prepare(two, CASE);
  await vi.waitFor(() => expect(started()).toBe(2));
  await pool.giveBack({ clean: true, used: true });
  expect(await lend(two)).toMatchObject({ reused: false, casesBefore: 0 });
  expect(started()).toBe(2);
  pool.prepare(one, CASE);
  await pool.giveBack({ clean: true, used: true });
  await lend(other);
  expect([started(), stopped()]).toEqual([4, 3]);
});

const CASE = { cmdline: [] } as unknown as ScenarioCase;

async function countedPool() {
  const runDir = await mkdtemp(join(tmpdir(), 'cxlrig-schedule-'));
  onTestFinished(() => rm(runDir, { recursive: true }));
  const count = { started: 0, stopped: 0 };
  const pool = makeGuestPool(
    { bootables: [{ kernel: { profile: 'stock' }, initramfs: '' }], runDir, accelerator: 'tcg' } as never,
    {
      start: () => {
        count.started += 1;
        const stop = (): Promise<void> => {
          count.stopped += 1;
          return Promise.resolve();
        };
        return Promise.resolve({ start: { how: 'resumed' }, stop } as unknown as RunningGuest);
      },
      read: () => Promise.resolve({} as State),
    },
  );
  return { pool, started: () => count.started, stopped: () => count.stopped };
}

test('a case finds the names of now: the same devices may have others than when the guest came up', async () => {
  const guest = { start: { how: 'resumed' }, stop: () => Promise.resolve() } as unknown as RunningGuest;
  const [atBoot, renamed] = [{ memdevs: { mem0: {} } }, { memdevs: { mem1: {} } }] as unknown as State[];
  const runDir = await mkdtemp(join(tmpdir(), 'cxlrig-schedule-'));
  onTestFinished(() => rm(runDir, { recursive: true }));
  const pool = makeGuestPool(
    {
      bootables: [{ kernel: { profile: 'stock' }, initramfs: '' }],
      runDir,
      accelerator: 'tcg',
    } as never,
    { start: () => Promise.resolve(guest), read: () => Promise.resolve(atBoot as State) },
  );
  const lend = () =>
    pool.lend(plannedCase(), { cmdline: [] } as unknown as ScenarioCase, {
      fresh: false,
      onBoot: () => undefined,
    });
  expect((await lend()).state).toBe(atBoot);
  await pool.giveBack({ clean: true, used: true, state: renamed as State });
  expect((await lend()).state).toBe(renamed);
});
