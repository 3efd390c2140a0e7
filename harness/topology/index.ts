export { planTopology } from './build-plan.js';
export {
  hotAddCommands,
  hotRemoveCommands,
  planHotDevice,
  slotPowerFile,
  type HotDevice,
  type QmpCommand,
} from './hot-plug.js';
export { backingFile, withBackingFiles } from './backing-files.js';
export { CAPACITY_UNIT, emulatorLimits, limitsOf, type EmulatorLimit } from './emulator-limits.js';
export { INTERLEAVE_WAYS, topologySchema, type TopologyDocument } from './language.js';
export { listTopologies, loadTopology, type LoadTopologyOptions, type TopologyListing } from './load.js';
export { argsWithMemoryFiles, argsWithoutDevices, type MemoryFiles } from './template-args.js';
export type { MachinePlan, PlannedDevice, PlannedPort, PlannedWindow } from './plan.js';
