import type { z } from 'zod';
import { diagnose } from './diagnose.js';
import { DocumentError } from './diagnostic.js';
import { readYaml, type YamlDocument } from './yaml.js';

export { DocumentError, renderDiagnostic, type Diagnostic } from './diagnostic.js';
export { didYouMean, nameHint } from './did-you-mean.js';
export { readYaml, type DocumentPath, type YamlDocument } from './yaml.js';

/** A YAML file that satisfies a schema, with the place of every value. */
export interface TypedDocument<T> extends YamlDocument {
  readonly value: T;
}

/**
 * Reads a YAML text and validates it.
 * @throws DocumentError with every violation, each at its line and column
 */
export function parseDocument<T>(text: string, file: string, schema: z.ZodType<T>): TypedDocument<T> {
  const document = readYaml(text, file);
  const result = schema.safeParse(document.raw);
  if (!result.success) throw new DocumentError(diagnose(result.error, document, schema), text);
  return { ...document, value: result.data };
}
