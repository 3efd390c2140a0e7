import { expect, test } from 'vitest';
import type { CaseTrace } from '../../trace/trace.js';
import { failureKey } from './failure-key.js';

const ofMessage = (message: string): CaseTrace =>
  ({ verdict: 'fail', splats: [], steps: [], failure: { message, blame: 'kernel' } }) as unknown as CaseTrace;

test.each([
  [
    'how often was looked, and at what',
    'driver of region0 is null (waited 200 ms, 3 looks; nothing changed meanwhile)',
    'driver of region0 is null (waited 200 ms, 2 looks; meanwhile changed: regions.region0.size)',
  ],
  [
    'for how long it held',
    'driver of region0 is null (held, and stopped holding after 1.2 s, 9 looks; nothing changed meanwhile)',
    'driver of region0 is null (held, and stopped holding after 0.7 s, 4 looks; nothing changed meanwhile)',
  ],
  ['the number of the device', 'memory186 is offline', 'memory190 is offline'],
])('two failures that differ by %s alone are the same', (_, one, other) => {
  expect(failureKey(ofMessage(one))).toBe(failureKey(ofMessage(other)));
});

test('failures that speak of different things are not the same', () => {
  expect(failureKey(ofMessage('driver of region0 is null'))).not.toBe(
    failureKey(ofMessage('size of region0 is null')),
  );
});
