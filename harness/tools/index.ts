export { buildTools, type BuiltTools, type BuildToolsOptions } from './build.js';
export { chooseTools, withTools, type ToolsChoice } from './choose.js';
export { areBuilt, listTools, loadTools, toolProfiles, toolsDocument, type ToolsProfile } from './profile.js';
export { requireHostTools } from './host-tools.js';
export { NDCTL_TREE } from './source.js';
