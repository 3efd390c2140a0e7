import { createColors as palette } from 'picocolors';

/**
 * Colours when they are asked for. A stream that is no terminal has no `isTTY` at all, which picocolors would take for
 * "find out": and it finds that CI systems like colours. A log does not.
 */
export function createColors(enabled: boolean | undefined): ReturnType<typeof palette> {
  return palette(enabled ?? false);
}
