import { UsageError } from '../base/errors.js';
import type { FetchOptions } from './debian-image.js';
import { debianSource } from './debian-source.js';
import { openDepot, type Depot } from './depot.js';
import { gitRevision } from './git-source.js';
import { localTree } from './local-tree.js';
import type { KernelSource } from './profile.js';

/** One state of kernel sources, before patches. */
export interface SourceTree {
  readonly depot: Depot;
  /** its name as a git tree: equal content, equal name */
  readonly tree: string;
  /** what people call it: `linux-source-7.3 7.3.4-1`, `~/src/linux at 1a2b3c (modified)` */
  readonly label: string;
  /** what these sources have in common with their later states: they are built in the same place */
  readonly lineage: string;
  /** object folders of other repositories that hold parts of it */
  readonly alternates: readonly string[];
  /** an unpacked copy that nobody changes, whose files need not be in the depot */
  readonly pristine?: { readonly dir: string; readonly index: string };
  /** the tree's own .config */
  readonly config?: string;
  /** the flag by which a person names such a tree; absent: --kernel-tree */
  readonly flag?: string;
}

/** Reads the sources that a profile names. Nothing is written where they come from. */
export async function openSource(source: KernelSource, options: FetchOptions): Promise<SourceTree> {
  const depot = await openDepot();
  if (source['debian-source']) return debianSource(depot, source['debian-source'], options);
  if (source.git) return gitRevision(depot, source.git, options.progress);
  if (source.tree !== undefined) return localTree(depot, source.tree, options.progress);
  throw new UsageError('this kernel is not built from source');
}
