import { BuildToolsMissing, programPath, type BuildTool } from '../kernel/build/build-tools.js';

/** Programs of the host that compile the tools, and Debian's packages of them. scripts/bootstrap asks for the same. */
const PROGRAMS: readonly (readonly [string, string])[] = [
  ['gcc', 'gcc'],
  ['ld', 'binutils'],
  ['git', 'git'],
  ['meson', 'meson'],
  ['ninja', 'ninja-build'],
  ['pkg-config', 'pkg-config'],
];

/** @throws BuildToolsMissing naming the packages to install when one is missing */
export function requireHostTools(): void {
  const missing: BuildTool[] = PROGRAMS.map(([name, owner]) => ({
    name,
    package: owner,
    present: programPath(name) !== undefined,
  })).filter(({ present }) => !present);
  if (missing.length > 0) throw new BuildToolsMissing('cxl, daxctl and ndctl', missing);
}
