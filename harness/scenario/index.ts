export type { ScenarioCase, Step } from './case.js';
export { findScenarios, scenarioName, shippedScenarios } from './find.js';
export { loadScenario, loadScenarioText, type Scenario } from './load.js';
export { satisfies } from './versions.js';
