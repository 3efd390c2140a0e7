import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { qemuVersion } from '../guest/index.js';
import { cxlrig, workFolder } from '../testing/command.js';
import { emulatorLimits, limitsOf } from '../topology/index.js';

test('a crash of QEMU that the guest came upon is told as QEMU’s, with the version that goes on', async () => {
  const file = join(packageRoot, 'harness/run/testing/crossing-save.yaml');
  const { exitCode, text } = await cxlrig(['run', file, '--out', await workFolder()]);
  const { version } = await qemuVersion();
  if (limitsOf(version).some(({ limit }) => limit === emulatorLimits.crossingSave.limit)) {
    expect(text).toMatch(/^INFRA crossing-save /m);
    expect(text).toContain(
      `QEMU ended (signal SIGSEGV); QEMU ${version} is known to when registers are saved`,
    );
    expect(text).toContain(`QEMU ${emulatorLimits.crossingSave.goneIn} goes on`);
    expect(exitCode).toBe(3);
  } else {
    expect(text).toMatch(/^ok {4}crossing-save /m);
    expect(exitCode).toBe(0);
  }
});
