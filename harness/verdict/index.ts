export { isAllowed } from './fingerprint.js';
export { exitCode, judge, type Blame, type CaseFacts, type Verdict } from './judge.js';
export { findSplats } from './splats.js';
