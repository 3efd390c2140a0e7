import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cxlrig, workFolder } from '../testing/command.js';

// The kernel is built here unless the cache has it: with the mocks of tools/testing, and for both suites in one place.
const TIMEOUT = { timeout: 60 * 60_000 };

async function artifact(out: string, name: string): Promise<string> {
  const [run = ''] = await readdir(out);
  return readFile(join(out, run, name), 'utf8');
}

describe('cxlrig suite', () => {
  test('runs tests of ndctl on the mocks of the kernel, a case each', TIMEOUT, async () => {
    const out = await workFolder();
    const { exitCode, text } = await cxlrig(
      ['suite', 'ndctl', '--suite', 'cxl', 'cxl-labels.sh', 'cxl-qos-class.sh', '--out', out],
      TIMEOUT,
    );
    expect(text).toMatch(/^ok +ndctl\/cxl \[cxl-labels\.sh\]/m);
    expect(text).toMatch(/^ok +ndctl\/cxl \[cxl-qos-class\.sh\]/m);
    expect(exitCode).toBe(0);
    expect(await artifact(out, 'report.html')).toContain('cxl-labels.sh');
  });

  test('runs selftests of the kernel, and tells what they say of each of their tests', TIMEOUT, async () => {
    const out = await workFolder();
    const { exitCode, text } = await cxlrig(['suite', 'kselftest', 'dax', '--out', out], TIMEOUT);
    expect(text).toMatch(/^(ok|known) +kselftest\/dax \[dax-kmem-hotplug\.sh\]/m);
    expect(exitCode).toBe(0);
    const [, subtests = '0'] = /^ {2}1\.\.(\d+)$/m.exec(await artifact(out, 'results.ktap')) ?? [];
    expect(Number(subtests)).toBeGreaterThan(3);
  });

  test.each([
    ['a kernel that comes ready-made', ['ndctl', '-k', 'stock'], 'comes ready-made'],
    ['a suite that nobody has', ['ltp'], 'Allowed choices are ndctl, kselftest'],
    ['no selftests', ['kselftest'], 'which selftests?'],
    ['tools that come as packages', ['ndctl', '--tools', 'debian'], 'bring no tests'],
  ])('refuses %s before anything is built', TIMEOUT, async (_, args, said) => {
    const { exitCode, text } = await cxlrig(['suite', ...args]);
    expect(text).toContain(said);
    expect(exitCode).toBe(2);
  });

  test('answers a test that ndctl does not have with the likely one', TIMEOUT, async () => {
    const { exitCode, text } = await cxlrig(['suite', 'ndctl', 'cxl-lables.sh'], TIMEOUT);
    expect(text).toContain('there is no test cxl-lables.sh');
    expect(text).toContain('cxl-labels.sh');
    expect(exitCode).toBe(2);
  });
});
