import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { testFolder, testSpec } from '../../testing/guest.js';
import { bootGuest } from '../index.js';

/** A QEMU whose CPUs do not run in the first machine that it makes. */
async function qemuThatStallsOnce(): Promise<string> {
  const dir = await testFolder();
  const program = join(dir, 'qemu');
  const script = `#!/bin/sh
case " $* " in
*' -kernel '*) [ -e ${dir}/stalled ] || { : > ${dir}/stalled; set -- "$@" -S; } ;;
esac
exec qemu-system-x86_64 "$@"
`;
  await writeFile(program, script, { mode: 0o755 });
  return program;
}

test('a boot that stands still is seen within some ten seconds, begun again, and told', async () => {
  const spec = await testSpec('none');
  vi.stubEnv('CXLRIG_QEMU', await qemuThatStallsOnce());
  onTestFinished(() => void vi.unstubAllEnvs());
  const stalledAfter: number[] = [];
  const began = performance.now();
  const guest = await bootGuest(spec, { onStall: () => stalledAfter.push(performance.now() - began) });
  onTestFinished(() => guest.stop());
  expect(stalledAfter).toHaveLength(1);
  expect(stalledAfter[0]).toBeLessThan(20_000);
  expect(guest.start.stalls).toEqual([expect.stringMatching(/said last "nothing"; CPU 0 .*at [0-9a-f]+/)]);
  const { stdout } = await guest.exec('echo here', { timeoutMs: 60_000 });
  expect(stdout.toString()).toBe('here\n');
});
