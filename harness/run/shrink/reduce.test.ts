import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { edited, type Plain } from './edits.js';
import { Exhausted, reduce } from './reduce.js';

/** Reduces against a rule that says what still fails; every document is one that the language takes. */
async function reduced(
  document: Plain,
  fails: (document: Plain) => boolean,
  most = Infinity,
): Promise<{ smallest: Plain; asked: number }> {
  let asked = 0;
  const smallest = await reduce(document, {
    allowed: (documents) => Promise.resolve(documents.map(() => true)),
    holds: (documents) => {
      if (asked + documents.length > most) throw new Exhausted('enough');
      asked += documents.length;
      return Promise.resolve(documents.map(fails));
    },
    tell: () => undefined,
  });
  return { smallest, asked };
}

const exec = (sh: string) => ({ exec: { sh } });
const has = (document: Plain, text: string): boolean => JSON.stringify(document).includes(text);

describe('a failing case is reduced', () => {
  test('to the steps that it needs, whichever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 24 })
          .chain((length) =>
            fc.tuple(fc.constant(length), fc.subarray([...Array(length).keys()], { minLength: 1 })),
          ),
        async ([length, needed]) => {
          const steps = Array.from({ length }, (_, n) => exec(`step-${n}.`));
          const { smallest } = await reduced({ steps }, (document) =>
            needed.every((n) => has(document, `"step-${n}."`)),
          );
          expect(smallest['steps']).toEqual(needed.map((n) => exec(`step-${n}.`)));
        },
      ),
    );
  });

  test('with the steps that use what another names', async () => {
    const steps = [
      { 'create-region': { as: 'r', targets: ['mem0'] } },
      { expect: { region: { name: '${r}' } } },
      exec('fails'),
      exec('cat /sys/${r.dax}'),
    ];
    const { smallest } = await reduced({ steps }, (document) => {
      const dangling = has(document, '${r') && !has(document, '"as":"r"');
      return has(document, 'fails') && !dangling;
    });
    expect(smallest['steps']).toEqual([exec('fails')]);
  });

  test('in few questions where little matters', async () => {
    const steps = Array.from({ length: 10 }, (_, n) => exec(`step ${n}`));
    const { asked } = await reduced({ steps }, (document) => has(document, 'step 4'));
    expect(asked).toBeLessThanOrEqual(15);
  });

  test('to fewer turns and clauses, and without what stands beside a step', async () => {
    const document = {
      timeout: '90s',
      steps: [
        { name: 'often', repeat: { times: 40, steps: [exec('a'), exec('b')] }, timeout: '20s' },
        { expect: { memory: { of: '${r}', count: 4, state: 'online' }, node: { id: 1 }, within: '1s' } },
      ],
    };
    const { smallest } = await reduced(
      document,
      (one) => has(one, 'sh":"b"') && has(one, '"times"') && has(one, '"state":"online"'),
    );
    expect(smallest).toEqual({
      steps: [
        { repeat: { times: 1, steps: [exec('b')] } },
        { expect: { memory: { state: 'online' }, within: '1s' } },
      ],
    });
  });

  test('to the parts of the machine that matter, with what is plugged into them', async () => {
    const document = {
      topology: {
        cpus: 4,
        bridges: [
          { id: 'left', ports: ['l0', 'l1'] },
          { id: 'right', ports: ['r0'] },
        ],
        switches: [{ id: 'switch', port: 'r0', ports: ['s0', 's1'] }],
        devices: [
          { id: 'mem0', port: 'l0', volatile: '1G' },
          { id: 'mem1', port: 's1', volatile: '256M' },
        ],
        windows: [
          { id: 'both', targets: ['left', 'right'], size: '1G' },
          { id: 'far', targets: ['right'], size: '256M' },
        ],
      },
      steps: [{ 'create-region': { targets: ['mem0', 'mem1'] } }],
    };
    const { smallest } = await reduced(
      document,
      (one) => has(one, '"mem0","port":"l0"') && has(one, '"targets":["mem0"'),
    );
    expect(smallest).toEqual({
      topology: {
        bridges: [{ id: 'left', ports: ['l0'] }],
        switches: [],
        devices: [{ id: 'mem0', port: 'l0' }],
        windows: [],
      },
      steps: [{ 'create-region': { targets: ['mem0'] } }],
    });
  });

  test('as far as the limit lets it', async () => {
    const steps = Array.from({ length: 10 }, (_, n) => exec(`step ${n}`));
    const { smallest, asked } = await reduced({ steps }, (document) => has(document, 'step 4'), 5);
    expect([smallest['steps'], asked]).toEqual([steps, 1]);
  });
});

describe('edits', () => {
  test('name places as they are before all of them, and may name one twice', () => {
    const document = { list: ['a', 'b', 'c', { d: 1, e: 2 }], key: 'value' };
    const edits = [
      { path: ['list', 0] },
      { path: ['list', 2] },
      { path: ['list', 2] },
      { path: ['list', 3, 'd'], to: 5 },
      { path: ['list', 3, 'e'] },
    ];
    expect(edited(document, edits)).toEqual({ list: ['b', { d: 5 }], key: 'value' });
    expect(document.list).toHaveLength(4);
  });
});
