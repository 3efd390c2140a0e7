import { UsageError } from '../../base/errors.js';
import type { FetchOptions } from './debian-image.js';
import { debianSource } from './debian-source.js';
import { openDepot } from './depot.js';
import { gitRevision } from './git-source.js';
import { localTree } from './local-tree.js';
import type { KernelSource } from '../profile.js';
import type { SourceTree } from './source-tree.js';

/** Reads the sources that a profile names. Nothing is written where they come from. */
export async function openSource(source: KernelSource, options: FetchOptions): Promise<SourceTree> {
  const depot = await openDepot();
  if (source['debian-source']) return debianSource(depot, source['debian-source'], options);
  if (source.git) return gitRevision(depot, source.git, options.progress);
  if (source.tree !== undefined) return localTree(depot, source.tree, options.progress);
  throw new UsageError('this kernel is not built from source');
}
