import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matches, patternFault } from './pattern.js';

describe('a pattern', () => {
  test('matches anywhere, and by line where that is asked for', () => {
    expect(matches('abc', 'b+')).toBe(true);
    expect(matches('a\nb\n', '^b$')).toBe(false);
    expect(matches('a\nb\n', '^b$', { lines: true })).toBe(true);
  });

  test('takes the flags of RE2, which JavaScript has not', () => {
    expect(matches('Device or resource BUSY', '(?i)busy')).toBe(true);
    expect(matches('busy', '(?i:B)USY')).toBe(false);
  });

  test.each(['(a+)+$', '^(a|a)*$', '(.*a){20}$', '^(([a-z])+.)+[A-Z]$'])(
    '%s takes no time that grows beyond measure',
    { timeout: 10_000 },
    (source) => {
      const started = performance.now();
      expect(matches(`${'a'.repeat(20_000)}!`, source)).toBe(false);
      expect(performance.now() - started).toBeLessThan(5_000);
    },
  );

  test.each([
    ['(?=a)', 'unsupported'],
    ['(a)\\1', 'invalid escape'],
    ['[', 'missing closing'],
    ['((a{100}){100}){100}', 'repeat count'],
  ])('%s is refused with a reason', (source, reason) => {
    expect(patternFault(source)).toContain(reason);
  });

  test('agrees with JavaScript where both know what is written', () => {
    const part = fc.constantFrom('a', 'b', 'Z', '.', 'a*', '(?:ab)?', '[a-c]', '[^b]', '\\d+', '^', '$', '|');
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'Z', '1', ' '), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), text, (parts, subject) => {
        const source = parts.join('');
        expect(matches(subject, source)).toBe(new RegExp(source).test(subject));
      }),
      { numRuns: 1000 },
    );
  });
});
