import { createColors as palette } from 'picocolors';

/**
 * Colours when they are asked for. A stream that is no terminal has no `isTTY` at all, which picocolors would take for
 * "find out": and it finds that CI systems like colours. A log does not.
 */
export function createColors(enabled: boolean | undefined): ReturnType<typeof palette> {
  return palette(enabled ?? false);
}

// eslint-disable-next-line no-control-regex
const NOT_FOR_A_TERMINAL = /\u001b(?!\[[\d;]*m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g;

/**
 * Text that may hold what a guest printed, for a terminal: control characters are replaced, so that it cannot move the
 * cursor, set the title or type. Colours, which are ours, stay.
 */
export function printable(text: string): string {
  return text.replace(NOT_FOR_A_TERMINAL, '\ufffd');
}
