export { compare } from './compare.js';
export { comparisonJsonSchema, type Comparison } from './comparison.js';
export { comparisonMail } from './mail.js';
export { comparisonMarkdown } from './markdown.js';
export { sidesOf, type Side } from './side.js';
export { comparisonText } from './text.js';
