export { splatFailure } from './aftermath.js';
export { beginRecordingCalls } from './calls.js';
export { leftoversAfter } from './leftovers-after.js';
export { unmetByGuest, unmetByKernel } from './requirements.js';
export { runNextStep, runSteps } from './run-steps.js';
export type { StepSession } from './context.js';
export { openSteps } from './session.js';
export { closeSteps, startTracingLines } from './tracing.js';
export { undoing } from './undoing.js';
