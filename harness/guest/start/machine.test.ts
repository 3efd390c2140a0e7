import { expect, test } from 'vitest';
import { parseForwardedPort } from './machine.js';

/** As QEMU 10.0.2 answers, with a connection open. */
const USERNET =
  'Hub -1 (net0):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n' +
  '  TCP[ESTABLISHED]   11       127.0.0.1 40022       10.0.2.15    22     0     0\r\n' +
  '  TCP[HOST_FORWARD]   8       127.0.0.1 36833       10.0.2.15    22     0     0\r\n';

test("the port that QEMU took is read from its monitor's table", () => {
  expect(parseForwardedPort(USERNET)).toBe(36833);
});

test('a table without a forwarded port has none', () => {
  expect(parseForwardedPort('Hub -1 (net0):\r\n')).toBeUndefined();
});
