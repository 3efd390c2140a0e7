import { delimiter } from 'node:path';
import { execa, type Options } from 'execa';
import { RigError, type RigStage } from './errors.js';

/** A program of the host, and what it was run for: both go into the error when it fails. */
export interface ToolCall {
  readonly program: string;
  readonly args: readonly string[];
  /** "unpack linux-image-...": completes "could not" */
  readonly purpose: string;
  /** the stage of the RigError when it fails */
  readonly stage: RigStage;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** absolute path: standard output goes there instead of coming back */
  readonly stdoutTo?: string;
  /** hears each line of standard error while the program runs */
  readonly onStderr?: (line: string) => void;
}

const MAX_OUTPUT_BYTES = 1024 * 2 ** 20;
const EVIDENCE_LINES = 20;

/**
 * Runs a program of the host to its end; it dies with us.
 * @returns its standard output
 * @throws RigError('host') when the program is missing, RigError(stage) with its last words when it fails
 */
export async function runTool(call: ToolCall): Promise<Buffer> {
  const child = execa(call.program, call.args, toolOptions(call));
  if (call.onStderr) {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of child.iterable({ from: 'stderr', binary: true })) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(call.onStderr);
    }
  }
  const result = await child;
  const stdout = call.stdoutTo === undefined ? Buffer.from(result.stdout) : Buffer.alloc(0);
  if (!result.failed) return stdout;
  if (result.code === 'ENOENT') throw missingTool(call.program, call.purpose);
  throw new RigError(
    call.stage,
    `could not ${call.purpose}: ${call.program} ${result.signal ?? `exit ${result.exitCode ?? '?'}`}`,
    undefined,
    `${stdout.toString()}\n${Buffer.from(result.stderr).toString()}`
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-EVIDENCE_LINES),
    { cause: result },
  );
}

/** The error for a program that the host lacks. */
export function missingTool(program: string, purpose: string): RigError {
  return new RigError(
    'host',
    `could not ${purpose}: the program ${program} is missing`,
    `install the package ${PACKAGE_OF[program] ?? program}`,
  );
}

/** Debian's package of a program, where the name differs. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  'dpkg-deb': 'dpkg',
  depmod: 'kmod',
  xz: 'xz-utils',
  flock: 'util-linux',
  objcopy: 'binutils',
};

function toolOptions({ cwd, env, input, stdoutTo }: ToolCall) {
  return {
    reject: false,
    encoding: 'buffer',
    maxBuffer: MAX_OUTPUT_BYTES,
    stripFinalNewline: false,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(stdoutTo === undefined ? {} : { stdout: { file: stdoutTo } }),
    env: { LC_ALL: 'C', PATH: pathWithSbin(), ...env },
  } as const satisfies Options;
}

/** An ordinary user's PATH on Debian has no sbin, where depmod lives. */
function pathWithSbin(): string {
  return [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);
}
