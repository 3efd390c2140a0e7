import { describe, expect, test } from 'vitest';
import type { CaseEntry } from '../../page-content.js';
import { compareKernels, countBy, parseSelection, select, selectionQuery } from './selection.js';

const entry = (key: string, part: Partial<CaseEntry> = {}): CaseEntry => ({
  key,
  name: key,
  title: '',
  kernel: 'stock',
  topology: 'one-volatile',
  verdict: 'pass',
  steps: 3,
  milliseconds: 100,
  ...part,
});

const CASES = [
  entry('b-10', { milliseconds: 5 }),
  entry('b-9', { verdict: 'fail', reason: 'zone is Normal' }),
  entry('a', { verdict: 'skip', kernel: 'other', topology: 'two-ports' }),
];

const chosen = (query: string): string[] =>
  select(CASES, parseSelection(new URLSearchParams(query))).map(({ key }) => key);

describe('the selection of cases', () => {
  test.each([
    ['', ['b-9', 'b-10', 'a']],
    ['sort=order', ['b-10', 'b-9', 'a']],
    ['sort=name', ['a', 'b-9', 'b-10']],
    ['sort=time&desc=1', ['a', 'b-9', 'b-10']],
    ['verdict=fail,skip', ['b-9', 'a']],
    ['kernel=other', ['a']],
    ['topology=one-volatile', ['b-9', 'b-10']],
    ['q=NORMAL b-', ['b-9']],
    ['q=nothing', []],
    ['verdict=nonsense&sort=nonsense', ['b-9', 'b-10', 'a']],
  ])('of %j is %j', (query, keys) => {
    expect(chosen(query)).toEqual(keys);
  });

  test('can be written into an address and read from it', () => {
    const selection = parseSelection(
      new URLSearchParams('q=x&verdict=fail&sort=time&desc=1&view=compare&differences=1'),
    );
    expect(parseSelection(selectionQuery(selection))).toEqual(selection);
    expect(selectionQuery(parseSelection(new URLSearchParams())).toString()).toBe('');
  });

  test('counts each verdict among what the other filters let through', () => {
    const counts = countBy(CASES, parseSelection(new URLSearchParams('kernel=stock&verdict=pass')));
    expect([...counts]).toEqual([
      ['pass', 1],
      ['fail', 1],
    ]);
  });

  test('puts the same case on two kernels into one row, and can leave out where they agree', () => {
    const both = [
      entry('x @stock', { name: 'x' }),
      entry('x @other', { name: 'x', kernel: 'other' }),
      entry('y @stock', { name: 'y', verdict: 'fail' }),
      entry('y @other', { name: 'y', kernel: 'other' }),
    ];
    const rows = compareKernels(both, ['stock', 'other'], false);
    expect(rows.map(({ name, differs }) => [name, differs])).toEqual([
      ['x', false],
      ['y', true],
    ]);
    expect(compareKernels(both, ['stock', 'other'], true).map(({ name }) => name)).toEqual(['y']);
  });
});
