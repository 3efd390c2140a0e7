import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseQemuVersion, qemuVersion } from './qemu-version.js';

const DEBIAN_12 = 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\n';
const BACKPORTS = `QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)
Copyright (c) 2003-2025 Fabrice Bellard and the QEMU Project developers
`;

let dir: string;
beforeAll(() => (dir = mkdtempSync(join(tmpdir(), 'cxlrig-qemu-'))));
afterAll(() => rmSync(dir, { recursive: true }));

function printing(text: string): NodeJS.ProcessEnv {
  const binary = join(dir, 'qemu');
  writeFileSync(binary, `#!/bin/sh\ncat <<'END'\n${text}END\n`);
  chmodSync(binary, 0o755);
  return { CXLRIG_QEMU: binary };
}

test('the version is read from what QEMU prints', () => {
  expect(parseQemuVersion(BACKPORTS)).toEqual({ version: '10.0.2', major: 10, minor: 0 });
  expect(parseQemuVersion('bash: qemu: command not found')).toBeUndefined();
});

test('CXLRIG_QEMU names the QEMU that is used', async () => {
  const env = printing(BACKPORTS);
  expect(await qemuVersion(env)).toMatchObject({ binary: env['CXLRIG_QEMU'], version: '10.0.2' });
});

test('a QEMU without volatile CXL memory is refused with both versions and what to type', async () => {
  const refused = qemuVersion(printing(DEBIAN_12));
  await expect(refused).rejects.toThrow(/QEMU 7\.2\.22; .* 9\.1 or newer/);
  await expect(refused).rejects.toMatchObject({
    stage: 'host',
    remedy: expect.stringContaining('scripts/cxlrig doctor') as unknown,
  });
});

test('a missing QEMU is an error of the host', async () => {
  const missing = qemuVersion({ CXLRIG_QEMU: join(dir, 'nowhere') });
  await expect(missing).rejects.toMatchObject({
    stage: 'host',
    message: expect.stringContaining('ENOENT') as unknown,
  });
});

test('a program that is not QEMU is refused', async () => {
  await expect(qemuVersion(printing('hello\n'))).rejects.toThrow('does not say that it is QEMU');
});
