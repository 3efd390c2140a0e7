import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { RigError } from '../../base/errors.js';
import { isBuilt, type Profile } from '../profile.js';

/** A thing of the host that building a kernel takes, and Debian's package of it. */
export interface BuildTool {
  readonly name: string;
  readonly package: string;
  readonly present: boolean;
}

const PROGRAMS: readonly (readonly [string, string])[] = [
  ['make', 'make'],
  ['gcc', 'gcc'],
  ['ld', 'binutils'],
  ['flex', 'flex'],
  ['bison', 'bison'],
  ['bc', 'bc'],
  ['perl', 'perl'],
  ['git', 'git'],
  ['depmod', 'kmod'],
  ['xz', 'xz-utils'],
];

/** objtool and the certificates' tools are compiled against these. */
const HEADERS: readonly (readonly [string, string])[] = [
  ['gelf.h', 'libelf-dev'],
  ['openssl/opensslv.h', 'libssl-dev'],
  // gcc alone brings no C library to compile the host's tools with
  ['stdlib.h', 'libc6-dev'],
];

/** What building a kernel takes, and which of it the host has. */
export function buildTools(): readonly BuildTool[] {
  return [
    ...PROGRAMS.map(([name, owner]) => ({ name, package: owner, present: programPath(name) !== undefined })),
    ...HEADERS.map(([name, owner]) => ({ name, package: owner, present: headerPath(name) !== undefined })),
  ];
}

/** What is to be built; scripts/bootstrap knows by it which programs to install. */
export type Built = 'a kernel' | 'cxl, daxctl and ndctl' | 'kernel selftests';

/** Something is to be built, and the host lacks what that takes. Whoever may install it does so and starts again. */
export class BuildToolsMissing extends RigError {
  constructor(
    readonly built: Built,
    missing: readonly BuildTool[],
  ) {
    super(
      'host',
      `${built} can't be built here: ${missing.map(({ name }) => name).join(', ')} missing`,
      `install them: apt-get install ${missing.map((tool) => tool.package).join(' ')}`,
    );
  }
}

/** @throws BuildToolsMissing naming the packages to install when a tool is missing */
export function requireBuildTools(tools: readonly BuildTool[] = buildTools()): void {
  const missing = tools.filter(({ present }) => !present);
  if (missing.length > 0) throw new BuildToolsMissing('a kernel', missing);
}

/** Before anything else is done: a run of several kernels must not find out after an hour. @throws BuildToolsMissing */
export function requireToolsFor(profiles: readonly Profile[]): void {
  if (profiles.some(isBuilt)) requireBuildTools();
}

/** The path of a program, where PATH or the system's folders have it. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function headerPath(name: string): string | undefined {
  const folders = ['/usr/include', '/usr/include/x86_64-linux-gnu', '/usr/local/include'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
