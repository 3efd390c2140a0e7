export type { ScenarioCase, Step } from './case.js';
export { findScenarios, scenarioName, shippedScenarios } from './load/find.js';
export { folderFileOf, isFolderFile, loadFolder } from './load/folder.js';
export { loadScenario, loadScenarioText, type Scenario } from './load/load.js';
export { satisfies } from './language/versions.js';
