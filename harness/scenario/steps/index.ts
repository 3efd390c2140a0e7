export { splatFailure } from './aftermath.js';
export type { Capture, StepsContext, StepSession } from './context.js';
export { leftoversAfter } from './leftovers-after.js';
export { isRegionPart, regionParts } from './region-parts.js';
export { unmetByGuest, unmetByKernel } from './requirements.js';
export { runSteps, type RunStepsOptions, type StepsResult } from './run-steps.js';
export { openSteps } from './session.js';
export { closeSteps } from './tracing.js';
