export {
  resolveConfig,
  resolveEachPatch,
  resolveKernel,
  resolveProfile,
  type ObtainOptions,
  type PatchStep,
  type ResolveOptions,
} from './resolve.js';
export { KERNEL_TREE, type TreeKind } from './local-tree.js';
export { chooseProfile, chooseProfiles, type KernelChoice, type KernelChoices } from './choose.js';
export { isBuilt, listProfiles, loadProfile, profileDocument, type Profile } from './profile.js';
export { BuildFailed } from './build-failure.js';
export {
  BuildToolsMissing,
  buildTools,
  requireBuildTools,
  requireToolsFor,
  type BuildTool,
  type Built,
} from './build-tools.js';
export { cachedThings, removeThings, type CachedThing } from './inventory.js';
export type { ResolvedKernel } from './resolved.js';
export { readSourceFiles, type SourceFiles } from './source-files.js';
export { buildSelftests, SELFTESTS_IN_GUEST, type BuiltSelftests, type Selftest } from './selftests.js';
