export { splatFailure } from './aftermath.js';
export { leftoversAfter } from './leftovers-after.js';
export { unmetByGuest, unmetByKernel } from './requirements.js';
export { runSteps } from './run-steps.js';
export { openSteps } from './session.js';
export { closeSteps } from './tracing.js';
