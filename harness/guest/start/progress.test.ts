import { describe, expect, test } from 'vitest';
import { RigError } from '../../base/errors.js';
import { cpusOf, Stalled, standsStill, startedAgain, type ProgressSample } from './progress.js';

/** A sample each second; what is given is of each second: milliseconds of the host's cores, and whether it printed. */
function seconds(...each: readonly (readonly [cpu: number, prints?: 'prints'])[]): ProgressSample[] {
  let [cpu, console] = [0, 0];
  return [[0] as const, ...each].map(([more, prints], n) => {
    cpu += more;
    if (prints) console += 1;
    return { at: n * 1000, cpu, console };
  });
}

const repeat = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

describe('a guest that comes up stands still', () => {
  test('when it has a core for ten seconds and prints nothing', () => {
    expect(standsStill(seconds([500, 'prints'], ...repeat(9, [1000] as const)))).toBe(false);
    expect(standsStill(seconds([500, 'prints'], ...repeat(10, [1000] as const)))).toBe(true);
  });

  test('when its CPUs sleep for ten seconds and it prints nothing', () => {
    expect(standsStill(seconds([800, 'prints'], ...repeat(9, [10] as const)))).toBe(false);
    expect(standsStill(seconds([800, 'prints'], ...repeat(10, [10] as const)))).toBe(true);
  });

  test('when it goes to sleep some time after its last line', () => {
    expect(
      standsStill(seconds([800, 'prints'], ...repeat(3, [900] as const), ...repeat(10, [10] as const))),
    ).toBe(true);
  });

  test('not when it prints', () => {
    expect(standsStill(seconds(...repeat(60, [10, 'prints'] as const)))).toBe(false);
    expect(standsStill(seconds(...repeat(60, [1000, 'prints'] as const)))).toBe(false);
  });

  test('not on a host so busy that it gets little of a core', () => {
    expect(standsStill(seconds([500, 'prints'], ...repeat(60, [150] as const)))).toBe(false);
  });

  test('later with a kernel that is slow', () => {
    expect(standsStill(seconds(...repeat(40, [1000] as const)), 5)).toBe(false);
    expect(standsStill(seconds(...repeat(50, [1000] as const)), 5)).toBe(true);
  });
});

test('where the CPUs were is read from QEMU', () => {
  const registers = `
CPU#0
RAX=0000000000000000 RBX=0
RIP=ffffffff81a2b3c4 RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1
ES =0000

CPU#1
RAX=1
RIP=ffffffff8100d001 RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=0
`;
  expect(cpusOf(registers)).toBe('CPU 0 halted at ffffffff81a2b3c4, CPU 1 at ffffffff8100d001');
});

describe('a start that stood still', () => {
  const attempts = (stalls: number) => {
    let starts = 0;
    return () =>
      (starts += 1) <= stalls ? Promise.reject(new Stalled(`place ${starts}`)) : Promise.resolve(starts);
  };

  test('is begun again, and told', async () => {
    const told: string[] = [];
    await expect(startedAgain(attempts(2), (where) => told.push(where))).resolves.toBe(3);
    expect(told).toEqual(['place 1', 'place 2']);
  });

  test('is given up after three times, with where each was', async () => {
    const end = startedAgain(attempts(3), undefined).catch((error: unknown) => error);
    expect(await end).toBeInstanceOf(RigError);
    expect(await end).toMatchObject({ stage: 'boot', evidence: ['place 1', 'place 2', 'place 3'] });
  });

  test('is not begun again for another reason', async () => {
    let starts = 0;
    const start = (): Promise<never> => ((starts += 1), Promise.reject(new Error('no disk')));
    await expect(startedAgain(start, undefined)).rejects.toThrow('no disk');
    expect(starts).toBe(1);
  });
});
