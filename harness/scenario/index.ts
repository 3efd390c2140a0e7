export type { ScenarioCase, Step } from './case.js';
export { findScenarios, scenarioName, shippedScenarios } from './find.js';
export { folderFileOf, isFolderFile, loadFolder } from './folder.js';
export { loadScenario, loadScenarioText, type Scenario } from './load.js';
export { satisfies } from './versions.js';
