import { isAbsolute, relative } from 'node:path';
import { RigError, UsageError } from '../../base/errors.js';
import type { Patch } from '../sources/series.js';

/** The first thing that went wrong in a build. */
export interface BuildFault {
  /** the message and what belongs to it */
  readonly excerpt: readonly string[];
  /** the path in the kernel tree it points to */
  readonly file?: string;
  /** files through which that one was included */
  readonly includedFrom: readonly string[];
}

const EXCERPT_LINES = 14;

/**
 * Finds the first error in what a build printed: a compiler's, a linker's, modpost's, or else make's own.
 * @param src the folder of the sources, which is cut off from paths
 */
export function firstFault(lines: readonly string[], src: string): BuildFault {
  const at = firstIndex(lines, FAULTS);
  if (at < 0) return { excerpt: lines.slice(-EXCERPT_LINES), includedFrom: [] };
  const start = startOfMessage(lines, at);
  const body = lines.slice(start, start + EXCERPT_LINES + (at - start));
  const end = body.findIndex(
    (line, index) => index > at - start && /^( {2}[A-Z]+ |make(\[\d+\])?: )/.test(line),
  );
  const excerpt = body.slice(0, end < 0 ? undefined : end);
  const includedFrom = excerpt
    .map((line) => /^(?:In file included| +)\s*from ([^:]+):\d+/.exec(line)?.[1])
    .filter((path) => path !== undefined)
    .map((path) => inTree(path, src));
  const place =
    /^(\S+?\.\w+):(\d+)?/.exec(lines[at] ?? '')?.[1] ??
    /\[[^\]]*?([^\s\]:]+\.\w+)\] Error/.exec(lines[at] ?? '')?.[1];
  return {
    excerpt: excerpt.map((line) => line.replaceAll(`${src}/`, '')),
    ...(place === undefined ? {} : { file: inTree(place, src) }),
    includedFrom,
  };
}

/**
 * The patch that most likely broke the build: the last that touches the file of the error; failing that, a file
 * through which it was included, or the Makefile or Kconfig beside it.
 */
export function suspect(fault: BuildFault, patches: readonly Patch[]): Patch | undefined {
  const { file, includedFrom } = fault;
  const beside = file === undefined ? [] : [`${dirOf(file)}/Makefile`, `${dirOf(file)}/Kconfig`];
  const sourceOfObject = file?.replace(/\.k?o$/, '.c');
  for (const candidates of [[file, sourceOfObject], includedFrom, beside]) {
    const found = patches.findLast(({ touches }) =>
      candidates.some((path) => path !== undefined && touches.includes(path)),
    );
    if (found) return found;
  }
  return undefined;
}

/** The kernel did not build. The user's patches, tree or config are at fault, or the host's tools. */
export class BuildFailed extends RigError {
  constructor(
    readonly fault: BuildFault,
    readonly patch: Patch | undefined,
    what: string,
    log: string,
  ) {
    const blamed =
      patch === undefined
        ? ''
        : `; most likely by ${patch.name}${patch.subject === undefined ? '' : ` ("${patch.subject}")`}, which touches ${fault.file ?? 'it'}`;
    super('kernel', `${what} does not build${blamed}`, `the whole log: ${log}`, fault.excerpt);
  }
}

/** The options that a configuration lost, as the error that ends the build. */
export function lostOptionsError(
  what: string,
  lost: readonly { readonly line: string; readonly why: string }[],
): UsageError {
  return new UsageError(
    [
      `${what}: ${lost.length === 1 ? 'an option that was asked for is' : `${lost.length} options that were asked for are`} not in the kernel's configuration`,
      ...lost.map(({ line, why }) => `  ${line}\n    ${why}`),
    ].join('\n'),
    'ask for what they depend on as well, or leave them out (`# if known: CONFIG_X` in a fragment forgives a missing one)',
  );
}

/** By rank: a compiler's message says more than the make that stumbles over it. */
const FAULTS: readonly RegExp[] = [
  /^\S+:\d+(:\d+)?: (fatal )?error: |^\S+: error: /,
  /undefined reference to|multiple definition of/,
  /^ERROR: modpost: |^ld: |^error: /,
  /^Error: |: Error: |No rule to make target|\*\*\* /,
];

function firstIndex(lines: readonly string[], patterns: readonly RegExp[]): number {
  for (const pattern of patterns) {
    const at = lines.findIndex((line) => pattern.test(line) && !/Werror.*all warnings being/.test(line));
    if (at >= 0) return at;
  }
  return -1;
}

/** A message begins at the include chain and the "In function" above it. */
function startOfMessage(lines: readonly string[], at: number): number {
  let start = at;
  while (start > 0 && /^(In file included from | +from |.*: In function )/.test(lines[start - 1] ?? ''))
    start--;
  return start;
}

function inTree(path: string, src: string): string {
  const inside = isAbsolute(path) ? relative(src, path) : path.replace(/^(\.\.\/)+src\//, '');
  return inside.replace(/^\.\//, '');
}

function dirOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
