import { describe, expect, test } from 'vitest';
import { jsonMismatch } from './json-contains.js';

const printed = [{ region: 'region0', size: 536870912, mappings: [{ memdev: 'mem0' }, { memdev: 'mem1' }] }];

describe('JSON contains', () => {
  test.each([
    ['an object with more keys', [{ region: 'region0' }]],
    ['the one entry of a list without the list', { region: 'region0' }],
    ['a size written as people write it', { size: '512M' }],
    ['some entries of a list, in order', { mappings: [{ memdev: 'mem1' }] }],
    ['all entries of a list', { mappings: [{ memdev: 'mem0' }, { memdev: 'mem1' }] }],
  ])('%s', (_, expected) => expect(jsonMismatch(printed, expected)).toBeUndefined());

  test('not a value that differs, and says where', () => {
    expect(jsonMismatch(printed, [{ region: 'region1' }])).toEqual({
      path: [0, 'region'],
      expected: 'region1',
      received: 'region0',
    });
  });

  test('not an entry twice that is there once', () => {
    expect(jsonMismatch(printed, { mappings: [{ memdev: 'mem0' }, { memdev: 'mem0' }] })?.path).toEqual([
      'mappings',
      1,
      'memdev',
    ]);
  });

  test('not a key that is missing', () => {
    expect(jsonMismatch({}, { region: 'region0' })).toEqual({
      path: ['region'],
      expected: 'region0',
      received: undefined,
    });
  });
});
