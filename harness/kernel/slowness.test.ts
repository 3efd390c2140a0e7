import { describe, expect, it } from 'vitest';
import { slownessOf } from './slowness.js';

describe('the slowness of a kernel', () => {
  it('is that of the slowest check in its configuration', () => {
    expect(slownessOf('CONFIG_PROVE_LOCKING=y\nCONFIG_KASAN=y\n')).toBe(5);
    expect(slownessOf('CONFIG_PROVE_LOCKING=y\n# CONFIG_KASAN is not set\n')).toBe(2);
  });

  it('is 1 without such checks, whatever the configuration could have', () => {
    expect(slownessOf('CONFIG_HAVE_ARCH_KASAN=y\n# CONFIG_PROVE_LOCKING is not set\n')).toBe(1);
    expect(slownessOf('')).toBe(1);
  });
});
