export {
  resolveConfig,
  resolveEachPatch,
  resolveKernel,
  resolveProfile,
  type ObtainOptions,
  type PatchStep,
  type ResolveOptions,
} from './resolve.js';
export { KERNEL_TREE, type TreeKind } from './sources/local-tree.js';
export { chooseProfile, chooseProfiles, type KernelChoice } from './choose.js';
export { isBuilt, listProfiles, loadProfile, type Profile } from './profile.js';
export {
  BuildToolsMissing,
  buildTools,
  requireBuildTools,
  requireToolsFor,
  type Built,
} from './build/build-tools.js';
export { cachedThings, removeThings, type CachedThing } from './inventory.js';
export type { ResolvedKernel } from './resolved.js';
export { readSourceFiles } from './sources/source-files.js';
export { buildSelftests } from './build/selftests.js';
export type { FetchOptions } from './sources/debian-image.js';
