import { expect, test } from 'vitest';
import { createColors, printable } from './colors.js';

test('what a guest prints does nothing to a terminal, and our colours stay', () => {
  const hostile = '\u001b]0;owned\u0007\u001b[2J\u001b[6n\u009b31mtext\r\b\u007f\n\tnext';
  expect(printable(hostile)).toBe(
    '\ufffd]0;owned\ufffd\ufffd[2J\ufffd[6n\ufffd31mtext\ufffd\ufffd\ufffd\n\tnext',
  );
  const red = createColors(true).red('fail');
  expect(printable(red)).toBe(red);
});
