export { planTopology } from './build-plan.js';
export { hotAddCommands, hotRemoveCommands, planHotDevice, slotPowerFile } from './hot-plug.js';
export { backingFile, withBackingFiles } from './backing-files.js';
export { CAPACITY_UNIT, emulatorLimits, limitsOf, type EmulatorLimit } from './emulator-limits.js';
export { INTERLEAVE_WAYS, topologySchema } from './language.js';
export { listTopologies, loadTopology, readTopologyFile } from './load.js';
export { argsWithMemoryFiles, argsWithoutDevices } from './template-args.js';
export type { MachinePlan, PlannedDevice, PlannedWindow } from './plan.js';
