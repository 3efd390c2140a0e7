export { canonicalErrno, errnoOf } from './errno.js';
export { diffStates } from './diff.js';
export { walkIomem } from './iomem.js';
export {
  formatKernelLog,
  newMark,
  newRecordsScript,
  noteIntoLog,
  parseKernelLog,
  type KernelLogRecord,
} from './kernel-log.js';
export { withNamesOfKernel } from './kernel-names.js';
export { unseenDeed, unseenDifference, unseenScript } from './unseen.js';
export { leftoverWords } from './leftover-words.js';
export { leftoversAcrossKexec, leftoversOf } from './leftovers.js';
export * from './lines.js';
export { withNormalNames } from './normal-names.js';
export { kernelLogEnd, observe, readState } from './observe.js';
export {
  createRegionLines,
  destroyRegionLines,
  nextRegionLine,
  type RegionProgram,
  type RegionStage,
} from './region-lines.js';
export type * from './state.js';
export { typeLines, type TypedShLine } from './typing.js';
