export { isAllowed } from './fingerprint.js';
export { exitCode, judge, type Blame, type CaseFacts, type Judgement, type Verdict } from './judge.js';
export type { SplatKind } from './splat-signs.js';
export { findSplats, type Splat } from './splats.js';
