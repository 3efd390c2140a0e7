import { isContainer } from '../../base/plain.js';
import type { Expansion } from './expand.js';
import type { DocumentPath } from '../../base/document/yaml.js';

/**
 * Puts back how a number or boolean is written in the file where the language took it as a text: `value: 0x1000` is
 * to type 0x1000 in the guest, not 4096. Changes the validated document in place and returns it.
 */
export function keepWritten<T>(input: unknown, document: T, expansion: Expansion): T {
  walk(input, document, [], expansion);
  return document;
}

function walk(input: unknown, output: unknown, path: DocumentPath, expansion: Expansion): void {
  if (!isContainer(input) || !isContainer(output)) return;
  for (const key of Array.isArray(input) ? input.keys() : Object.keys(input)) {
    const before = input[key];
    const after = Object.hasOwn(output, key) ? output[key] : undefined;
    const place = [...path, key];
    if ((typeof before === 'number' || typeof before === 'boolean') && typeof after === 'string') {
      output[key] = expansion.written(place, before);
    } else walk(before, after, place, expansion);
  }
}
