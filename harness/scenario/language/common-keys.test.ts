import { describe, expect, test } from 'vitest';
import { faultsOfCommonKeys, honouredKeys } from './common-keys.js';
import type { CommonKey } from '../kinds/index.js';
import { stepKinds, type StepKind } from './language.js';

const kinds = Object.keys(stepKinds) as StepKind[];
const VALUES: Readonly<Record<CommonKey, unknown>> = {
  fails: 'EBUSY',
  'may-fail': 'EBUSY',
  timeout: '2s',
  loop: { times: 2 },
};

describe.each(kinds)('beside %s', (kind) => {
  test.each(Object.keys(VALUES) as CommonKey[])('`%s` is honoured or refused', (key) => {
    const faults = faultsOfCommonKeys(kind, { [kind]: {}, [key]: VALUES[key] });
    expect(faults.map(({ path }) => path)).toEqual(honouredKeys(kind).includes(key) ? [] : [[key]]);
  });
});

test('what is refused says what to write instead, where there is something', () => {
  const [fault] = faultsOfCommonKeys('expect', { expect: {}, timeout: '2s' });
  expect(fault).toMatchObject({
    message: '`timeout` means nothing on `expect`',
    hint: expect.stringContaining('within') as string,
  });
});
