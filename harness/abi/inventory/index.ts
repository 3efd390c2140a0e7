export { diffInventories, type InventoryDiff } from './diff.js';
export {
  documentationOf,
  documentedPattern,
  parseDocumentation,
  type Documentation,
  type DocumentedPath,
} from './documentation.js';
export { mergeAttributes, parseInventory, type Attribute } from './inventory.js';
export { patternOf } from './pattern.js';
export { takeInventory, type Inventory } from './take.js';
