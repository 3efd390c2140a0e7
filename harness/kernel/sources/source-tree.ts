import type { Depot } from './depot.js';

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
