#!/usr/bin/env node
import { constants } from 'node:os';
import { Command, CommanderError } from 'commander';
import { ownVersion } from '../run/environment.js';
import { registerAbi } from './abi.js';
import { registerBisect } from './bisect.js';
import { registerCheck } from './check.js';
import { registerCompare } from './compare.js';
import { registerDoctor } from './doctor.js';
import { explain, INTERRUPTED } from './explain.js';
import { registerExport } from './export.js';
import { registerKernel } from './kernel.js';
import { registerList } from './list.js';
import { registerRecord } from './record.js';
import { registerReport } from './report.js';
import { registerRun } from './run.js';
import { registerSchema } from './schema.js';
import { registerShell } from './shell.js';
import { registerShrink } from './shrink.js';
import { registerSuite } from './suite.js';
import { registerTopology } from './topology.js';

const program = new Command('cxlrig')
  .description('Boots real Linux kernels on emulated CXL memory and says whether they did right.')
  .version(await ownVersion())
  .showHelpAfterError('(--help tells more)')
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  cxlrig run                               every shipped scenario on the stock kernel
  cxlrig run current/region-to-kmem        one scenario
  cxlrig run my.yaml --kernel debian-stable
  cxlrig compare --head debian-stable      the stock kernel against another: what differs
  cxlrig abi diff debian-stable stock      sysfs attributes that came and went
  cxlrig shell two-bridges                 a shell in a guest with that topology
  cxlrig report --open                     the newest run in a browser
  cxlrig doctor                            is this machine fit for it?`,
  );

for (const register of [
  registerRun,
  registerCompare,
  registerAbi,
  registerShell,
  registerSuite,
  registerTopology,
  registerBisect,
  registerShrink,
  registerCheck,
  registerList,
  registerSchema,
  registerReport,
  registerExport,
  registerRecord,
  registerKernel,
  registerDoctor,
]) {
  register(program);
}

// whoever reads what we print has seen enough (`cxlrig list | head`): end as programs do that SIGPIPE kills
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
    throw error;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = explain(error, process.stderr);
  // what an interrupted command still has under way must not keep it; its children end with it
  if (process.exitCode === INTERRUPTED) process.exit();
}
