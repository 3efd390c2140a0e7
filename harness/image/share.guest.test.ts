import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cxlrig, workFolder } from '../testing/command.js';

const TIMEOUT = { timeout: 10 * 60_000 };

async function reproducer(dir: string): Promise<string> {
  const folder = join(dir, 'bug 7');
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(join(folder, 'run.sh'), '#!/bin/sh\ntr a-z A-Z < "${0%/*}/data/now"\n');
  await chmod(join(folder, 'run.sh'), 0o755);
  await writeFile(join(folder, 'data/in'), 'from the host');
  await symlink('in', join(folder, 'data/now'));
  return folder;
}

describe('a folder of the host', () => {
  test('is in the guest as it is, and what was made of it comes back with the case', TIMEOUT, async () => {
    const dir = await workFolder();
    const scenario = join(dir, 'shared.yaml');
    await writeFile(
      scenario,
      `cxlrig: 1
name: shared
description: a reproducer of somebody
topology: one-volatile
leaves-no-trace: false
steps:
  - exec: { sh: "'/share/bug 7/run.sh' > /tmp/out" }
  - copy-out: { path: /tmp/out }
  - copy-out: { path: /tmp/out }
  - copy-out: { path: /tmp/nowhere }
    fails: ENOENT
`,
    );
    const out = join(dir, 'runs');
    const share = await reproducer(dir);
    const { exitCode, text } = await cxlrig(['run', scenario, '--share', share, '--out', out], TIMEOUT);
    expect(text).toMatch(/^ok /m);
    expect(exitCode).toBe(0);
    const [run = ''] = await readdir(out);
    const [own = ''] = await readdir(join(out, run, 'cases'));
    const files = join(out, run, 'cases', own, 'files');
    expect(await readdir(files)).toEqual(['2-out', 'out']);
    expect(await readFile(join(files, 'out'), 'utf8')).toBe('FROM THE HOST');
  });

  test('that is none is refused before anything is booted', TIMEOUT, async () => {
    const { exitCode, text } = await cxlrig(['run', 'current', '--share', '/nowhere/at/all'], TIMEOUT);
    expect(text).toContain('/nowhere/at/all is no folder to share');
    expect(exitCode).toBe(2);
  });
});
