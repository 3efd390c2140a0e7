import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../base/places.js';
import { cxlrig, workFolder } from '../testing/command.js';
import { silent } from '../base/progress.js';
import { editedRepository, type Edit } from '../kernel/testing/repository.js';
import { loadTools } from './profile.js';
import { openToolSource } from './source.js';

// The kernel is built here unless the cache has it, and so are the tools.
const TIMEOUT = { timeout: 60 * 60_000 };

const remark = (number: number): Edit => ({
  subject: `change ${number}`,
  path: 'cxl/region.c',
  change: (text) => `${text}/* ${number} */\n`,
});

const broken = (name: string): string =>
  join(packageRoot, 'images/series/region-driver-broken', `${name}.patch`);

describe('tools from source', () => {
  test('with our series do what the proposal’s last lines say, on the kernel of ours', TIMEOUT, async () => {
    const out = await workFolder();
    const { exitCode, text } = await cxlrig(
      ['run', 'cxl_cli', '-k', 'region-drivers', '--tools', 'region-driver', '--out', out],
      TIMEOUT,
    );
    // dynamic capacity takes a kernel of its own
    expect(text).not.toMatch(/^(FAIL|INFRA|skip (?! this kernel creates no dynamic))/m);
    expect(exitCode).toBe(0);
  });

  test('that undo nothing turn the pairs that do not fit red', TIMEOUT, async () => {
    const out = await workFolder();
    const { exitCode, text } = await cxlrig(
      [
        ...['run', 'cxl_cli/driver-matrix', '-k', 'region-drivers', '--tools', 'region-driver'],
        ...['--ndctl-patches', broken('1-no-undo'), '-t', 'driver=pmem\\b', '--out', out],
      ],
      TIMEOUT,
    );
    const verdicts = [...text.matchAll(/^(ok|FAIL) +(.*\])/gm)].map(([, verdict, id]) => [verdict, id]);
    expect(verdicts.sort()).toEqual([
      ['FAIL', 'cxl_cli/driver-matrix [type=ram, driver=pmem]'],
      ['ok', 'cxl_cli/driver-matrix [type=pmem, driver=pmem]'],
    ]);
    expect(exitCode).toBe(1);
  });
});

describe('two versions of the tools', () => {
  test('are compared on one kernel, and what the head does worse is told', TIMEOUT, async () => {
    const out = await workFolder();
    const { exitCode, text } = await cxlrig(
      [
        ...['compare', 'cxl_cli/driver-matrix', '--base', 'region-drivers', '--base-tools', 'region-driver'],
        ...['--ndctl-patches', broken('1-no-undo'), '-t', 'driver=pmem\\b', '--out', out],
      ],
      TIMEOUT,
    );
    expect(text).toMatch(/^regression +cxl_cli\/driver-matrix \[type=ram, driver=pmem\]/m);
    expect(text).toMatch(/^1 regression, 1 case alike/m);
    expect(exitCode).toBe(1);
  });

  test('are searched for the commit that broke a scenario', TIMEOUT, async () => {
    const dir = await workFolder();
    const { source } = await loadTools('debian-source');
    const tree = join(dir, 'ndctl');
    const commits = await editedRepository(tree, await openToolSource(source, { progress: silent }), [
      remark(1),
      {
        subject: 'the planted bug',
        path: 'cxl/region.c',
        change: (text) =>
          text.replace(
            /^(int cmd_create_region\([^{]*\{\n)/m,
            '$1\tif (argc > 0)\n\t\treturn EXIT_FAILURE;\n',
          ),
      },
      remark(3),
      remark(4),
    ]);
    const { exitCode, text } = await cxlrig(
      [
        ...['bisect', 'current/cxl-cli', '--ndctl-tree', tree, '--good', commits[0] ?? '', '--bad', 'main'],
        ...['--out', join(dir, 'runs')],
      ],
      TIMEOUT,
    );
    expect(text).toContain(`${commits[2] ?? ''} is the first bad commit`);
    expect(text).toContain('the planted bug');
    expect(exitCode).toBe(0);
  });
});

describe('further packages of a guest', () => {
  test('are there', TIMEOUT, async () => {
    const { exitCode, text } = await cxlrig(['shell', '--with', 'strace'], {
      ...TIMEOUT,
      input: 'strace -V | head -n 1\n',
    });
    expect(text).toContain('strace -- version');
    expect(exitCode).toBe(0);
  });
});
