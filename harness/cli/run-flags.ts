import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { cores } from '../base/cores.js';
import type { ImageAdditions } from '../image/index.js';
import type { LiveView } from '../report/live.js';
import { RUNS } from '../report/saved-run.js';
import type { RunRequest } from '../run/index.js';
import { count, regexp } from './argument.js';

/** The flags of every verb that runs scenarios. */
export interface RunFlags {
  readonly testNamePattern?: RegExp;
  readonly topology?: string;
  readonly jobs: number;
  readonly retry: number;
  readonly repeat?: number;
  readonly untilFail?: number | true;
  readonly lastFailed?: boolean;
  readonly changed?: boolean;
  readonly bail?: number | true;
  readonly shard?: { index: number; count: number };
  readonly cold?: boolean;
  readonly keepOnFailure?: boolean;
  readonly gdb?: string | true;
  readonly accel?: 'tcg' | 'kvm';
  readonly mirror?: string;
  readonly out: string;
}

/** A guest takes a core; more than four at a time gain little, for they start and end together. */
const DEFAULT_JOBS = Math.min(4, cores());

/** How often --until-fail tries when it is not told. */
const DEFAULT_TRIES = 100;

/** Adds those that any verb takes; --mirror is among the flags that say which kernel. */
export function withRunFlags(command: Command): Command {
  return command
    .option('-t, --test-name-pattern <regexp>', 'only cases whose id matches', regexp)
    .option('--topology <name>', "use this topology instead of the scenario's own")
    .option('-j, --jobs <n>', 'guests at a time', count, DEFAULT_JOBS)
    .option(
      '--retry <n>',
      'try a failed case so many times more, in fresh guests; one that then passes is flaky, and fails with its rate',
      count,
      0,
    )
    .option('--repeat <n>', 'run each case so many times, and tell how often it failed', count)
    .addOption(
      new Option(
        '--until-fail [n]',
        `run the cases again and again until one fails, so many times at most (${DEFAULT_TRIES}); tells the rate, and keeps the trace that failed`,
      )
        .argParser(count)
        .conflicts('repeat'),
    )
    .option('--bail [n]', 'stop after n failures (1 when no number is given)', count)
    .option('--shard <i/n>', 'run the i-th of n parts of the cases, of about the same length', shard)
    .option('--cold', 'boot a guest for each case: none is resumed, none serves two')
    .option('--keep-on-failure', 'leave the guest of a failed case running and print how to get in')
    .addOption(
      new Option('--accel <name>', 'accelerator instead of the one that was found to work').choices([
        'tcg',
        'kvm',
      ]),
    )
    .option('--out <dir>', 'folder for the artifacts of runs', RUNS);
}

/** Adds those that choose by what earlier runs said. */
export function withHistoryFlags(command: Command): Command {
  return command
    .option('--last-failed', 'only cases that failed when they were run last')
    .addOption(
      new Option(
        '--changed',
        'only cases that did not pass when they were run last, or whose scenario, topology or kernel has changed since',
      ).conflicts('lastFailed'),
    );
}

/** What the flags ask for, whatever the kernels are. */
export function requestOf(
  scenarios: readonly string[],
  flags: RunFlags,
  view: LiveView,
  additions?: ImageAdditions,
): Omit<RunRequest, 'kernels'> {
  const { untilFail, repeat } = flags;
  const times = untilFail === true ? DEFAULT_TRIES : (untilFail ?? repeat);
  const only = flags.lastFailed ? 'last-failed' : flags.changed ? 'changed' : undefined;
  return {
    scenarios,
    // one guest for one person
    jobs: flags.gdb === undefined ? flags.jobs : 1,
    retries: flags.retry,
    bail: flags.keepOnFailure || flags.gdb !== undefined ? 1 : Number(flags.bail ?? 0),
    cold: flags.cold ?? false,
    keepOnFailure: flags.keepOnFailure ?? false,
    out: resolve(flags.out),
    command: process.argv.slice(2),
    progress: (update) => view.progress(update),
    ...(times !== undefined && { repeat: { times, untilFail: untilFail !== undefined } }),
    ...(only && { only }),
    ...(flags.gdb !== undefined && { gdb: flags.gdb === true ? {} : { step: flags.gdb } }),
    ...(flags.testNamePattern && { pattern: flags.testNamePattern }),
    ...(flags.topology !== undefined && { topology: flags.topology }),
    ...(flags.shard && { shard: flags.shard }),
    ...(flags.accel && { accelerator: flags.accel }),
    ...(flags.mirror !== undefined && { mirror: flags.mirror }),
    ...(additions && { additions }),
  };
}

function shard(value: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(value);
  const index = Number(match?.[1]);
  const parts = Number(match?.[2]);
  if (!match || index < 1 || index > parts)
    throw new InvalidArgumentError('write it as i/n with 1 <= i <= n, such as 2/4.');
  return { index, count: parts };
}
