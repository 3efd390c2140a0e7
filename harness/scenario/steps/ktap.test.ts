import { expect, test } from 'vitest';
import { parseKtap } from './ktap.js';

test('each test of KTAP is read with its verdict, whatever level it is on', () => {
  const text = `TAP version 13
1..3
# selftests: dax: dax-kmem-hotplug.sh
# ok 1 - state reads back
# not ok 2 state survives \\#2 # remark
  KTAP version 1
  1..2
    ok 1 global.first
    not ok 2 global.second
ok 2 skipped # SKIP no hugepages
not ok 3 known # TODO later
not ok 4 slow.sh # TIMEOUT 45 seconds
ok
note: not ok is said here
okay 5 no`;
  expect(parseKtap(text)).toEqual([
    { name: 'state reads back', verdict: 'pass' },
    { name: 'state survives #2', verdict: 'fail', reason: 'remark' },
    { name: 'global.first', verdict: 'pass' },
    { name: 'global.second', verdict: 'fail' },
    { name: 'skipped', verdict: 'skip', reason: 'no hugepages' },
    { name: 'known', verdict: 'pass', reason: 'TODO later' },
    { name: 'slow.sh', verdict: 'fail', reason: 'TIMEOUT 45 seconds' },
    { name: 'unnamed', verdict: 'pass' },
  ]);
});
