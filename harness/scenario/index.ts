export type { ScenarioCase, SourcePosition, Step } from './case.js';
export { parseDuration } from './duration.js';
export { findScenarios, scenarioName, shippedScenarios } from './find.js';
export { loadScenario, loadScenarioText, type Scenario } from './load.js';
export { describeStep } from './title.js';
export { satisfies } from './versions.js';
