export { diffInventories } from './diff.js';
export { documentationOf, parseDocumentation, type Documentation } from './documentation.js';
export { takeInventory } from './take.js';
