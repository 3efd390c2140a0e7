import { execa, type Options } from 'execa';
import { RigError } from '../base/errors.js';

/** A program of the host, and what it was run for: both go into the error when it fails. */
export interface ToolCall {
  readonly program: string;
  readonly args: readonly string[];
  /** "unpack linux-image-...": completes "could not" */
  readonly purpose: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
}

const MAX_OUTPUT_BYTES = 1024 * 2 ** 20;
const EVIDENCE_LINES = 60;

/**
 * Runs a program of the host to its end; it dies with us.
 * @returns its standard output
 * @throws RigError('host') when the program is missing, RigError('kernel') with its last words when it fails
 */
export async function tool(call: ToolCall): Promise<Buffer> {
  const result = await execa(call.program, call.args, toolOptions(call));
  if (!result.failed) return Buffer.from(result.stdout);
  if (result.code === 'ENOENT') throw missingTool(call.program, call.purpose);
  const words = `${Buffer.from(result.stdout).toString()}\n${Buffer.from(result.stderr).toString()}`;
  throw new RigError(
    'kernel',
    `could not ${call.purpose}: ${call.program} ${result.signal ?? `exit ${result.exitCode ?? '?'}`}`,
    undefined,
    words
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-EVIDENCE_LINES),
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

function toolOptions({ cwd, env, input }: ToolCall) {
  return {
    reject: false,
    encoding: 'buffer',
    maxBuffer: MAX_OUTPUT_BYTES,
    stripFinalNewline: false,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    ...(cwd === undefined ? {} : { cwd }),
    env: { LC_ALL: 'C', ...env },
  } as const satisfies Options;
}
