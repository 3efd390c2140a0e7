import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { nameHint } from '../base/document/did-you-mean.js';
import { UsageError } from '../base/errors.js';
import { writeRepro } from '../report/repro/write.js';
import { findRun, readRun } from '../report/saved-run.js';
import type { CaseTrace } from '../trace/trace.js';

interface ExportFlags {
  readonly run?: string;
  readonly out: string;
}

export function registerExport(program: Command): void {
  program
    .command('export')
    .description(
      'write a case as scripts to mail: repro.sh for any guest with busybox, qemu.sh for its machine',
    )
    .argument('<case>', 'id of the case, or a part of it that no other has')
    .option('-r, --run <dir>', 'the run (default: the newest)')
    .option('-o, --out <dir>', 'folder to write into', '.')
    .addHelpText(
      'after',
      `
Examples:
  cxlrig export current/refuse-target
  cxlrig export 'policy=online_movable' --run 2026-11-22T18-20-05.123 --out /tmp/bug
  sh qemu.sh repro.sh        then, in the guest: sh /repro.sh`,
    )
    .action((name: string, flags: ExportFlags) => exportCase(name, flags));
}

async function exportCase(name: string, { run, out }: ExportFlags): Promise<void> {
  const saved = await readRun(await findRun(run));
  const trace = chooseCase(name, saved.traces);
  const written = await writeRepro(trace, join(saved.dir, trace.artifacts), out);
  if (written.length === 0) {
    throw new UsageError(
      `${trace.case.id} has nothing to export: it was ${trace.verdict}, and nothing was typed`,
      trace.reason,
    );
  }
  for (const file of written) process.stdout.write(`${relative(process.cwd(), join(out, file))}\n`);
}

function chooseCase(name: string, traces: readonly CaseTrace[]): CaseTrace {
  const exact = traces.filter(({ case: identity }) => identity.id === name);
  const found = exact.length > 0 ? exact : traces.filter(({ case: identity }) => identity.id.includes(name));
  const [trace, another] = found;
  const ids = traces.map(({ case: identity }) => identity.id);
  if (!trace)
    throw new UsageError(`the run has no case ${JSON.stringify(name)}`, nameHint(name, ids, 'cases'));
  if (another) {
    throw new UsageError(
      `${JSON.stringify(name)} is part of several ids`,
      found.map(({ case: identity }) => identity.id).join('; '),
    );
  }
  return trace;
}
