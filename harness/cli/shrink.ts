import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../base/errors.js';
import { stopwatch } from '../base/stopwatch.js';
import { withBuildTools } from '../host/install.js';
import { chooseProfiles } from '../kernel/index.js';
import { liveView, type LiveView } from '../report/live.js';
import { plural } from '../report/plural.js';
import { seconds } from '../report/terminal.js';
import { shrink, type ScenarioSize, type ShrinkEvent } from '../run/shrink/shrink.js';
import { collect, count } from './argument.js';
import {
  additionsOf,
  kernelsWithTools,
  withGuestFlags,
  withOneTools,
  type GuestFlags,
} from './guest-flags.js';
import { abortOnInterrupt } from './interrupt.js';
import { KERNEL_FLAGS_HELP, withKernelFlags, type KernelFlags } from './kernel-flags.js';
import { requestOf, withRunFlags, type RunFlags } from './run-flags.js';

interface Flags extends RunFlags, KernelFlags, GuestFlags {
  readonly kernel: string[];
  readonly tools?: string;
  readonly guests: number;
  readonly output?: string;
}

/** How many guests are asked when nobody says how many. */
const DEFAULT_GUESTS = 200;

export function registerShrink(program: Command): void {
  withGuestFlags(
    withOneTools(
      withKernelFlags(
        withRunFlags(
          program
            .command('shrink')
            .description('take from a failing case whatever it fails without, and write the smaller scenario')
            .argument('<scenario>', 'a file, or a name below scenarios/; -t selects one of its cases')
            .option('-k, --kernel <profile>', 'kernel to boot (default: stock)', collect, [])
            .option(
              '-o, --output <file>',
              'where the smaller scenario is written (default: <name>.shrunk.yaml)',
            )
            .option('--guests <n>', 'ask so many guests at most', count, DEFAULT_GUESTS),
        ),
      ),
    ),
  )
    .addHelpText(
      'after',
      `${KERNEL_FLAGS_HELP}

Steps, values, parts of the machine and sizes are left out as long as the case fails of the same: the same splat, the
same errno, the same expectation with the same result. What is written is one scenario with its machine in it.

Exit code: 0 it is as small as it gets; 1 the limit of guests came first, and what is written could be smaller;
2 the case does not fail, or the command line is invalid; 3 the rig could not do its work; 130 interrupted.

Examples:
  cxlrig shrink mine.yaml
  cxlrig shrink sysram_region/hotplug -t 'from=unplugged, to=garbage' --kernel region-drivers
  cxlrig shrink race.yaml --repeat 10          a case that fails now and then
  cxlrig shrink mine.yaml --kernel-tree ~/src/linux --guests 500 --output small.yaml`,
    )
    .action(async (scenario: string, flags: Flags) => {
      process.exitCode = await withBuildTools(() => shrinkCommand(scenario, flags));
    });
}

async function shrinkCommand(scenario: string, flags: Flags): Promise<number> {
  const output = flags.output ?? `${basename(scenario).replace(/\.ya?ml$/, '')}.shrunk.yaml`;
  if (existsSync(output))
    throw new UsageError(`${output} is there already`, 'name another file with --output');
  const { kernelTree, patches } = flags;
  const interrupt = abortOnInterrupt();
  const view = liveView(process.stdout);
  const elapsed = stopwatch();
  try {
    const kernels = await kernelsWithTools(
      await chooseProfiles({ profiles: flags.kernel, kernelTree, patches }),
      flags.tools === undefined ? [] : [flags.tools],
      flags,
    );
    const run = { ...requestOf([scenario], flags, view, await additionsOf(flags)), kernels };
    const result = await shrink(
      { run, guests: flags.guests },
      (event) => tell(event, view),
      interrupt.signal,
    );
    await writeFile(output, result.text);
    view.close();
    process.stdout.write(
      `\n${sizeText(result.size)}; ${plural(result.guests, 'guest')} asked in ${seconds(elapsed())}\n${output}\n`,
    );
    if (!result.isExhausted) return 0;
    process.stdout.write(`the limit of ${flags.guests} guests came first: --guests allows more\n`);
    return 1;
  } finally {
    view.close();
    interrupt.release();
  }
}

function tell(event: ShrinkEvent, view: LiveView): void {
  if (event.type === 'fails') {
    view.print(`${event.id} fails: ${event.reason}\n${sizeText(event.size)}`);
    return;
  }
  const shown = event.words.slice(0, MOST_WORDS);
  const more = event.words.length - shown.length;
  view.print(
    `${sizeText(event.size)}: it fails without ${shown.join(', ')}${more > 0 ? `, and ${more} more` : ''}`,
  );
}

const MOST_WORDS = 6;

function sizeText({ steps, devices, lines }: ScenarioSize): string {
  return `${plural(steps, 'step')}, ${plural(devices, 'device')}, ${plural(lines, 'line')}`;
}
