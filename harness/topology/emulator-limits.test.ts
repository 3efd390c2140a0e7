import { describe, expect, test } from 'vitest';
import { emulatorLimits, limitsOf } from './emulator-limits.js';

describe('what QEMU cannot do', () => {
  test.each(Object.entries(emulatorLimits))(
    '%s is told with its source, and where it was seen',
    (_, limit) => {
      expect(limit.source).toMatch(/\.[ch]\b/);
      expect(limit.seenIn.length).toBeGreaterThan(0);
    },
  );

  test.each([
    ['10.0.2', true],
    ['10.0.13', true],
    ['11.0', true],
    ['11.1.2', true],
    ['11.1.3', false],
    ['11.1.10', false],
    ['12.0.0', false],
  ])('is known of a version: %s loses data above a decoder that is not committed: %s', (version, has) => {
    expect(limitsOf(version).includes(emulatorLimits.lowerDecoder)).toBe(has);
    expect(limitsOf(version)).toContain(emulatorLimits.switchLevels);
  });
});
