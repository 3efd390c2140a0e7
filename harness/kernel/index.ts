export { resolveKernel, type ResolveOptions } from './resolve.js';
export { listProfiles, loadProfile, type Profile } from './profile.js';
export type { ResolvedKernel } from './resolved.js';
