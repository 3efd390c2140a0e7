import { basename } from 'node:path';
import { UsageError } from '../base/errors.js';
import { absolutePath } from '../base/document/written-path.js';
import type { Profile } from '../kernel/profile.js';
import { areBuilt, loadTools, type ToolsProfile } from './profile.js';

/** What the command line says of the tools of a guest. */
export interface ToolsChoice {
  /** a shipped profile's name, or the path of one */
  readonly tools?: string | undefined;
  /** build this tree */
  readonly ndctlTree?: string | undefined;
  /** this commit of the tree's repository instead of the files that lie there */
  readonly revision?: string | undefined;
  /** series on top of the profile's own: folders, mailboxes, files; relative to the current folder */
  readonly ndctlPatches?: readonly string[] | undefined;
}

/** The profile that is built of whoever gives patches and nothing to put them on. */
export const SOURCE_PROFILE = 'debian-source';

/**
 * The tools that a command line means; undefined: the image's own packages, as of whoever says nothing.
 * @throws UsageError when there is no such profile, or patches are given for tools that are not built here
 */
export async function chooseTools(choice: ToolsChoice): Promise<ToolsProfile | undefined> {
  const { tools, ndctlTree, ndctlPatches = [] } = choice;
  if (tools === undefined && ndctlTree === undefined && ndctlPatches.length === 0) return undefined;
  const base = await baseTools(choice);
  if (ndctlPatches.length === 0) return areBuilt(base) ? base : undefined;
  if (!areBuilt(base))
    throw new UsageError(
      `the tools ${base.name} come as packages, so patches can't be applied to them`,
      `build them from source: --tools ${SOURCE_PROFILE} --ndctl-patches ...`,
    );
  const names = ndctlPatches.map((path) => basename(absolutePath(path, process.cwd())));
  return {
    ...base,
    name: `${base.name}+${[...new Set([names[0], names.at(-1)])].join('..')}`,
    patches: [...base.patches, ...ndctlPatches.map((path) => absolutePath(path, process.cwd()))],
  };
}

/** The pair of a kernel and tools: a kernel under another name, whose guests have the tools. */
export function withTools(kernel: Profile, tools: ToolsProfile | undefined): Profile {
  return tools === undefined ? kernel : { ...kernel, name: `${kernel.name}+ndctl ${tools.name}`, tools };
}

async function baseTools({ tools, ndctlTree, revision }: ToolsChoice): Promise<ToolsProfile> {
  if (ndctlTree === undefined) return loadTools(tools ?? SOURCE_PROFILE);
  if (tools !== undefined)
    throw new UsageError(
      '--tools and --ndctl-tree name two sources of the tools',
      'give one of them; patches go on either',
    );
  const tree = absolutePath(ndctlTree, process.cwd());
  return {
    name: revision === undefined ? ndctlTree : `${ndctlTree} ${revision.slice(0, 12)}`,
    file: tree,
    description: `the ndctl tree ${tree}`,
    source: revision === undefined ? { tree } : { git: { repository: tree, revision } },
    patches: [],
  };
}
