export { proveDataPath, type TrialResult } from './prove.js';
export { regionTrials, type RegionTrial } from './trials.js';
