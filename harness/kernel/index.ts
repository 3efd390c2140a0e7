export {
  resolveConfig,
  resolveEachPatch,
  resolveKernel,
  type PatchStep,
  type ResolveOptions,
} from './resolve.js';
export { chooseProfile, type KernelChoice } from './choose.js';
export { isBuilt, listProfiles, loadProfile, profileDocument, type Profile } from './profile.js';
export { BuildFailed } from './build-failure.js';
export { buildTools, requireBuildTools, type BuildTool } from './build-tools.js';
export { cachedThings, removeThings, type CachedThing } from './inventory.js';
export type { ResolvedKernel } from './resolved.js';
