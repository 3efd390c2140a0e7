import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Option, type Command } from 'commander';
import { UsageError } from '../base/errors.js';
import { GuestDied, GuestTimeout, type RunningGuest } from '../guest/index.js';
import { draftText } from '../scenario/recording/draft.js';
import { startRecorder, type Recorder } from '../scenario/recording/recorder.js';
import { loadTopology, type MachinePlan } from '../topology/index.js';
import { withGuestFlags, withOneTools } from './guest-flags.js';
import { KERNEL_FLAGS_HELP, withKernelFlags } from './kernel-flags.js';
import { withOneGuest, type OneGuestFlags } from './one-guest.js';

interface RecordFlags extends OneGuestFlags {
  readonly out?: string;
}

export function registerRecord(program: Command): void {
  withGuestFlags(
    withOneTools(
      withKernelFlags(
        program
          .command('record')
          .description('boot a topology with a shell, and write down what is typed there as a draft scenario')
          .argument('[topology]', 'name below scenarios/topologies/, or a file', 'one-volatile')
          .option('-o, --out <file>', 'the scenario to write (default: recorded-<time>.yaml)')
          .option('-k, --kernel <profile>', 'kernel to boot (default: stock)'),
      ),
    ),
  )
    .addOption(
      new Option('--accel <name>', 'accelerator instead of the one that was found to work').choices([
        'tcg',
        'kvm',
      ]),
    )
    .addHelpText(
      'after',
      `
Each line becomes a step, and what it changed becomes the expectation after it. A line that begins with # names the
next step. exit, or Ctrl-D, ends the session. Programs that want a terminal have none here.
${KERNEL_FLAGS_HELP}

Examples:
  cxlrig record two-ports --out bug.yaml
  cxlrig record one-volatile < commands.txt`,
    )
    .action(async (topology: string, flags: RecordFlags) => {
      process.exitCode = await record(topology, flags);
    });
}

async function record(topology: string, flags: RecordFlags): Promise<number> {
  const file = resolve(
    flags.out ?? `recorded-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.yaml`,
  );
  if (existsSync(file)) {
    throw new UsageError(
      `${file} is there already`,
      'give another name with --out: a recording overwrites nothing',
    );
  }
  const machine = await loadTopology(topology);
  return withOneGuest(flags, { machine, cmdline: [] }, async (guest, signal) => {
    const { recorder, ending } = await session(guest, machine, signal);
    if (recorder.steps.length === 0) {
      process.stderr.write('nothing was typed, so nothing is written\n');
      return 0;
    }
    const text = await draftText(
      {
        topology,
        description: `Recorded in a shell on kernel ${guest.spec.kernel.release}. Say here why it must be so, and keep of the expectations what matters.\n${ending === undefined ? '' : `${ending}\n`}`,
        steps: recorder.steps,
      },
      file,
    );
    await writeFile(file, text, { flag: 'wx' });
    const shown = relative(process.cwd(), file) || file;
    process.stderr.write(`${recorder.steps.length} steps: ${shown}\nplay them with: cxlrig run ./${shown}\n`);
    return 0;
  });
}

interface Session {
  readonly recorder: Recorder;
  /** how it ended, when the person did not end it */
  readonly ending?: string;
}

/** Reads lines from the terminal, or from a pipe, until there are no more, or the guest is gone. */
async function session(guest: RunningGuest, machine: MachinePlan, signal: AbortSignal): Promise<Session> {
  const recorder = await startRecorder(guest, machine);
  const isTerminal = process.stdin.isTTY;
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: isTerminal,
    historySize: 500,
    prompt: isTerminal ? `${machine.name}# ` : '',
  });
  signal.addEventListener('abort', () => lines.close());
  // a half-typed line is dropped, as shells do it; the session goes on
  lines.on('SIGINT', () => {
    lines.write(null, { ctrl: true, name: 'u' });
    process.stderr.write('\n');
    lines.prompt();
  });
  try {
    lines.prompt();
    for await (const text of lines) {
      if (/^\s*(exit|logout)\b/.test(text)) break;
      const remark = /^\s*#\s*(.*)$/.exec(text)?.[1];
      if (remark !== undefined) recorder.remark(remark);
      else if (text.trim() !== '') await typeLine(recorder, text);
      lines.prompt();
    }
    return { recorder };
  } catch (error) {
    if (error instanceof GuestDied || error instanceof GuestTimeout) {
      process.stderr.write(`\n${error.message}\n`);
      return { recorder, ending: `The last line was the end of the guest: ${error.message}` };
    }
    throw error;
  } finally {
    lines.close();
  }
}

async function typeLine(recorder: Recorder, text: string): Promise<void> {
  const { stdout, stderr } = await recorder.type(text);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
}
