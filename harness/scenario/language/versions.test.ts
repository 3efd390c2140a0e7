import { describe, expect, test } from 'vitest';
import { intersection, isEmptyRange, parseRange, satisfies, type VersionRange } from './versions.js';

const range = (text: string): VersionRange => {
  const parsed = parseRange(text);
  if (!parsed) throw new Error(`no range: ${text}`);
  return parsed;
};

describe('a kernel release and a version range', () => {
  test.each([
    ['7.3.4+deb13-cloud-amd64', '>=7.3', true],
    ['7.3.4+deb13-cloud-amd64', '<7.3', false],
    ['7.3.4+deb13-cloud-amd64', '=7.3', true],
    ['7.3.4+deb13-cloud-amd64', '7.3', true],
    ['7.3.4+deb13-cloud-amd64', '>7.3', false],
    ['7.3.4+deb13-cloud-amd64', '<=7.3', true],
    ['7.3.4+deb13-cloud-amd64', '>=7.3.5', false],
    ['7.3.4+deb13-cloud-amd64', '!=7.3.4', false],
    ['6.12.57+deb13-cloud-amd64', '>=6.12 <7.3', true],
    ['6.12.57+deb13-cloud-amd64', '<6.10 || >=7.0', false],
    ['6.12.57+deb13-cloud-amd64', '<6.10 || >= 6.12.50, <6.12.60', true],
    ['10.0.0-rc1', '>9', true],
    ['7.10.0', '>=7.9', true],
    ['6.1.0-18-amd64', '>=6.1', true],
  ])('%s is in %s: %s', (release, text, expected) => {
    expect(satisfies(release, text)).toBe(expected);
  });

  test.each([
    ['7.3.0-rc2+', '>=7.3', true],
    ['7.3.0-rc2+', '<7.3', false],
    ['7.3.0-rc2-next-20261101', '>=7.3-rc3', false],
    ['7.3.0-rc10', '>=7.3-rc9', true],
    ['7.3.0', '>=7.3-rc9', true],
    ['7.2.9', '<7.3-rc1', true],
  ])(
    'a release candidate counts as its version unless the range names one: %s, %s: %s',
    (release, text, expected) => {
      expect(satisfies(release, text)).toBe(expected);
    },
  );

  test("QEMU's version is compared in the same way", () => {
    expect(satisfies('10.0.2 (Debian 1:10.0.2+ds-2)', '>=9.1')).toBe(true);
  });

  test('a text that is no release or no range has no answer', () => {
    expect(satisfies('stock', '>=7.3')).toBeUndefined();
    expect(satisfies('7.3.4', '^7.3')).toBeUndefined();
  });
});

test.each(['', '   ', 'latest', '^7.3', '~7.3', '>=', '7.x', '>=7.3 ||', '7.3.4.5.6', '>=-1', '7..3'])(
  'no version range: %j',
  (text) => {
    expect(parseRange(text)).toBeUndefined();
  },
);

test.each(['>=7.3 <7.0', '>7.3 <7.4', '=7.3 !=7.3', '<7.0 >=7.3-rc1', '!=7.3 >=7.3 <=7.3'])(
  'no version can lie in %s',
  (text) => {
    expect(isEmptyRange(range(text))).toBe(true);
  },
);

test.each([
  '>=7.3',
  '<7.0',
  '>7.3.1 <7.4',
  '>=7.3 <7.3-rc4',
  '>=7.3 <7.0 || =6.1',
  '!=7.3',
  '>7.3-rc4 <7.4',
  '>=6.12 <6.13',
])('some version lies in %s', (text) => {
  expect(isEmptyRange(range(text))).toBe(false);
});

test('two ranges that do not meet have an empty intersection', () => {
  expect(isEmptyRange(intersection(range('<6.10 || >=7.0'), range('>=6.12 <7.0')))).toBe(true);
  expect(isEmptyRange(intersection(range('<6.10 || >=7.0'), range('>=6.12 <=7.0')))).toBe(false);
});
