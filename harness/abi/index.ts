export { canonicalErrno, errnoName, errnoNames, errnoOf } from './errno.js';
export { differencesOf, diffStates } from './diff.js';
export { walkIomem } from './iomem.js';
export {
  formatKernelLog,
  newMark,
  newRecordsScript,
  noteIntoLog,
  parseKernelLog,
  type KernelLogRecord,
} from './kernel-log.js';
export { inWordsOf } from './kernel-names.js';
export { unseenDeed, unseenDifference, unseenScript } from './unseen.js';
export { leftoverWords } from './leftover-words.js';
export { leftoversOf } from './leftovers.js';
export * from './lines.js';
export { withNormalNames } from './normal-names.js';
export { kernelLogEnd, observe, readState, type Observation, type ObserveOptions } from './observe.js';
export { quote } from './quote.js';
export {
  createRegionLines,
  destroyRegionLines,
  nextRegionLine,
  regionStages,
  type RegionProgram,
  type RegionStage,
  type StandingRegion,
} from './region-lines.js';
export type * from './state.js';
export { typeLines, type TypedShLine, type TypingOptions } from './typing.js';
