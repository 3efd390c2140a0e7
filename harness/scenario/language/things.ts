import type { z } from 'zod';
import { descend, type Schema } from '../../base/document/schema-walk.js';
import { namesOfThings } from './scalars.js';

/** `r`, or a part of it: `r.dax` */
const CAPTURED = /^([A-Za-z][A-Za-z0-9_-]*)(?:\.[a-z][a-z0-9-]*)?$/;

/**
 * A capture may stand by its bare name where a key takes a thing of the guest: it becomes a reference, as it is
 * everywhere else.
 */
export function withReferences(
  value: unknown,
  schemas: readonly Schema[],
  isCaptured: (name: string) => boolean,
): unknown {
  const inner = (part: unknown, key: string | number): unknown =>
    withReferences(part, partOf(schemas, key), isCaptured);
  if (Array.isArray(value)) return value.map(inner);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inner(part, key)]));
  if (typeof value !== 'string' || !schemas.some(takesThing)) return value;
  const [, root] = CAPTURED.exec(value) ?? [];
  return root !== undefined && isCaptured(root) ? `\${${value}}` : value;
}

/** What may stand at a key of what any of the schemas describes. */
export function partOf(schemas: readonly Schema[], key: string | number): Schema[] {
  return schemas.flatMap((schema) => descend(schema, [key]));
}

/** Whether a value of the schema is a thing of the guest, so that a capture may stand there by its bare name. */
export function takesThing(schema: Schema): boolean {
  if (namesOfThings.get(schema as z.ZodType) !== undefined) return true;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'union') return def.options.some(takesThing);
  return (def.type === 'optional' || def.type === 'nullable') && takesThing(def.innerType);
}
