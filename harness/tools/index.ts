export {
  buildTools,
  buildToolTests,
  type BuiltTests,
  type BuiltTools,
  type BuildToolsOptions,
  type ToolTest,
} from './build.js';
export { chooseTools, withTools, type ToolsChoice } from './choose.js';
export { areBuilt, listTools, loadTools, toolProfiles, toolsDocument, type ToolsProfile } from './profile.js';
export { requireHostTools } from './host-tools.js';
export { NDCTL_TREE } from './source.js';
export { openSysroot, type Sysroot } from './sysroot.js';
export { readBuildRecipe } from './recipe.js';
