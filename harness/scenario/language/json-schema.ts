import { isMap } from '../../base/plain.js';
import { z } from 'zod';
import type { JsonSchema } from '../../base/document/key-list.js';
import { errnoTable } from '../../abi/errno-table.js';
import { scenarioDocument, stepKinds } from './language.js';

/** The scenario language as JSON Schema, for editors. */

/**
 * JSON Schema of scenario files as they are written: `${name}` may stand for any value that is checked only after it
 * has been put in. Draft 7, which the YAML language server knows best.
 */
export function scenarioJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(scenarioDocument, { target: 'draft-7', io: 'input' }) as JsonSchema;
  const { definitions, properties, ...rest } = schema as JsonSchema & {
    definitions: Record<string, JsonSchema>;
    properties: Record<string, JsonSchema>;
  };
  const refined = Object.entries(definitions).map(([name, definition]) => [
    name,
    { ...(openForReferences(definition) as JsonSchema), ...PRECISE[name] },
  ]);
  return {
    ...rest,
    title: 'A scenario of cxlrig',
    properties: mapValues(properties, (property, name) =>
      AS_WRITTEN.has(name) ? property : openForReferences(property),
    ),
    definitions: {
      ...withStepKinds(Object.fromEntries(refined) as Record<string, JsonSchema>),
      reference: {
        type: 'string',
        pattern: REFERENCE_PATTERN,
        description: 'the value of a variable, a matrix column or a capture',
      },
    },
  };
}

const REFERENCE_PATTERN = String.raw`\$\{[^}]+\}`;
const REFERENCE: JsonSchema = { $ref: '#/definitions/reference' };

/** Keys in which nothing is put in, because they give the values or select by them. */
const AS_WRITTEN: ReadonlySet<string> = new Set(['cxlrig', 'vars', 'matrix', 'cases', 'when']);

/** What validation checks by code, in a form that editors can use. */
const PRECISE: Readonly<Record<string, JsonSchema>> = {
  errno: { anyOf: [{ enum: errnoTable.map(([, name]) => name) }, REFERENCE] },
  duration: {
    anyOf: [{ type: 'string', pattern: String.raw`^\d+(\.\d+)?(ms|s|m)$` }, REFERENCE],
    type: undefined,
  },
  size: {
    anyOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', pattern: String.raw`^(0x[0-9a-fA-F]+|\d+([KMGTkmgt]?(i?[Bb])?))$` },
      REFERENCE,
    ],
  },
};

/** The rule that a step has one kind, which validation states in code. */
function withStepKinds(definitions: Record<string, JsonSchema>): Record<string, JsonSchema> {
  const step = definitions['step'] as JsonSchema & { properties: Record<string, JsonSchema> };
  const properties = mapValues(step.properties, (property, name) =>
    Object.hasOwn(stepKinds, name)
      ? {
          ...property,
          examples: z.globalRegistry.get(stepKinds[name as keyof typeof stepKinds])?.['examples'],
        }
      : property,
  );
  return {
    ...definitions,
    step: {
      ...step,
      properties,
      oneOf: [...Object.keys(stepKinds), 'use'].map((kind) => ({ required: [kind] })),
    },
  };
}

/** The schema, with `${name}` as an alternative wherever a text that holds one would not be accepted. */
function openForReferences(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(openForReferences);
  if (!isMap(schema)) return schema;
  const { description, default: ordinary, ...shape } = schema;
  const said = {
    ...(description === undefined ? {} : { description }),
    ...('default' in schema ? { default: ordinary } : {}),
  };
  if (refusesText(shape)) return { ...said, anyOf: [insideOf(shape), REFERENCE] };
  if (Array.isArray(shape['anyOf'])) {
    const alternatives = shape['anyOf'] as JsonSchema[];
    const open = alternatives.filter((one) => one['pattern'] !== REFERENCE_PATTERN);
    const accepts = open.some((one) => !refusesText(one) && acceptsText(one));
    return { ...said, ...shape, anyOf: [...open.map(insideOf), ...(accepts ? [] : [REFERENCE])] };
  }
  return { ...said, ...(insideOf(shape) as JsonSchema) };
}

function insideOf(schema: unknown): unknown {
  if (!isMap(schema)) return schema;
  return mapValues(schema, (value, key) => {
    if (key === 'properties' && isMap(value)) {
      return mapValues(value, (property, name) =>
        AS_WRITTEN.has(name) ? property : openForReferences(property),
      );
    }
    return ['items', 'additionalProperties', 'anyOf'].includes(key) ? openForReferences(value) : value;
  });
}

function refusesText(schema: JsonSchema): boolean {
  if ('enum' in schema || 'const' in schema || 'pattern' in schema) return true;
  return ['boolean', 'integer', 'number', 'array', 'null'].includes(String(schema['type']));
}

function acceptsText(schema: JsonSchema): boolean {
  return [schema['type']].flat().includes('string') || Object.keys(schema).length === 0;
}

function mapValues<T>(record: Record<string, T>, change: (value: T, key: string) => unknown): JsonSchema {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
