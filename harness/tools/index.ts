export { buildTools, buildToolTests, type BuiltTools } from './build.js';
export { chooseTools, SOURCE_PROFILE, withTools, type ToolsChoice } from './choose.js';
export { listTools, loadTools, toolProfiles, toolsDocument, type ToolsProfile } from './profile.js';
export { requireHostTools } from './host-tools.js';
export { NDCTL_TREE } from './source.js';
export { openSysroot } from './sysroot.js';
export { readBuildRecipe } from './recipe.js';
