import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from 'vitest';
import { stopwatch } from '../base/stopwatch.js';
import { cxlrig, workFolder } from '../testing/command.js';
import { faultTest, type Consequence } from '../testing/fault.js';

const TIMEOUT = { timeout: 10 * 60_000 };

/** A command that is refused before anything is booted, and what it leaves in the temporary folder. */
async function refused(args: readonly string[]): Promise<Consequence> {
  const temporary = await workFolder();
  const elapsed = stopwatch();
  const { exitCode, text } = await cxlrig(args, { ...TIMEOUT, input: '', env: { TMPDIR: temporary } });
  const left = await readdir(temporary);
  const outcome = `refused (exit ${exitCode ?? -1})` as Consequence['outcome'];
  return { outcome, told: text, seconds: elapsed() / 1000, left };
}

describe('faults of tools and packages', () => {
  faultTest(
    {
      fault: 'a series on ndctl that does not compile',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /0001-not-c\.patch[^]*this_is_not_declared|this_is_not_declared[^]*0001-not-c\.patch/,
      withinSeconds: 300,
    },
    async () => {
      const patch = join(await workFolder(), '0001-not-c.patch');
      await writeFile(
        patch,
        [
          'From: A <a@example.org>',
          'Subject: [PATCH] cxl: Be no C',
          '',
          '---',
          'diff --git a/cxl/not-c.h b/cxl/not-c.h',
          'new file mode 100644',
          '--- /dev/null',
          '+++ b/cxl/not-c.h',
          '@@ -0,0 +1 @@',
          '+int not_c(void) { return this_is_not_declared; }',
          'diff --git a/cxl/builtin.h b/cxl/builtin.h',
          '--- a/cxl/builtin.h',
          '+++ b/cxl/builtin.h',
          '@@ -3,3 +3,4 @@',
          ' #ifndef _CXL_BUILTIN_H_',
          ' #define _CXL_BUILTIN_H_',
          '+#include "not-c.h"',
          ' ',
          '',
        ].join('\n'),
      );
      return refused(['run', 'current', '--ndctl-patches', patch]);
    },
  );

  faultTest(
    {
      fault: 'a folder that holds no ndctl',
      in: 'rig',
      outcome: 'refused (exit 2)',
      says: /is not an ndctl tree/,
      withinSeconds: 30,
    },
    async () => {
      const folder = join(await workFolder(), 'tree');
      await mkdir(folder);
      return refused(['run', 'current', '--ndctl-tree', folder]);
    },
  );

  faultTest(
    {
      fault: 'an ndctl tree whose meson.build fails',
      in: 'rig',
      outcome: 'refused (exit 3)',
      says: /meson\.build:\d+:\d+: ERROR/,
      withinSeconds: 120,
    },
    async () => {
      const folder = join(await workFolder(), 'tree');
      await mkdir(join(folder, 'cxl/lib'), { recursive: true });
      await writeFile(join(folder, 'cxl/lib/libcxl.sym'), '');
      await writeFile(
        join(folder, 'meson.build'),
        "project('ndctl', 'c', version : '1')\nrun_command('sh', '-c', 'exit 1', check : true)\n",
      );
      return refused(['run', 'current', '--ndctl-tree', folder]);
    },
  );

  faultTest(
    {
      fault: 'a package that Debian does not have',
      in: 'rig',
      outcome: 'refused (exit 2)',
      says: /has no package strase/,
      withinSeconds: 60,
    },
    () => refused(['shell', '--with', 'strase']),
  );

  faultTest(
    {
      fault: 'a package whose name is an option',
      in: 'rig',
      outcome: 'refused (exit 2)',
      says: /is not the name of a Debian package/,
      withinSeconds: 30,
    },
    () => refused(['shell', '--with', '../../etc']),
  );
});
