export { proveDataPath } from './prove.js';
