/** A JSON Schema, draft 7, as far as references are made from it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

type Names = Readonly<Record<string, string>>;

/**
 * The keys of a schema of maps, as a list in Markdown: each with its form, whether it is required, and what is said of it.
 * @param names words for what the schema refers to, by the name of the definition
 */
export function keyList(schema: JsonSchema, names: Names = {}, indent = ''): string {
  const branches = ((schema['anyOf'] as JsonSchema[] | undefined) ?? []).filter((one) => 'properties' in one);
  const required = [schema['required'] ?? []].flat();
  const properties = Object.assign({}, ...branches.map(propertiesOf), propertiesOf(schema)) as Record<
    string,
    JsonSchema
  >;
  return Object.entries(properties)
    .map(([key, property]) => {
      const remarks = [
        formOf(property, names),
        required.includes(key) ? 'required' : defaultOf(property),
      ].filter(Boolean);
      const { description } = property;
      const said = typeof description === 'string' ? `: ${description}` : '';
      const line = `${indent}- \`${key}\`${remarks.length > 0 ? ` (${remarks.join('; ')})` : ''}${said}`;
      const inner = innerKeys(property, names, `${indent}  `);
      return inner ? `${line}\n${inner}` : line;
    })
    .join('\n');
}

/** The keys of a map, or of the maps of a list, that stands within a key. */
function innerKeys(schema: JsonSchema, names: Names, indent: string): string {
  const candidates = [schema, ...((schema['anyOf'] as JsonSchema[] | undefined) ?? [])];
  const maps = candidates.map((one) => (one['type'] === 'array' ? (one['items'] as JsonSchema) : one));
  const map = maps.find((one) => 'properties' in one);
  return map ? keyList(map, names, indent) : '';
}

/** What a value looks like, in a few words; nothing when it is any text. */
function formOf(schema: JsonSchema, names: Names): string {
  const { enum: values, type } = schema;
  if (values) return (values as unknown[]).map(String).join(', ');
  if ('const' in schema) return String(schema['const']);
  const reference = [schema['allOf'] ?? schema].flat()[0] as JsonSchema;
  if (typeof reference['$ref'] === 'string')
    return names[reference['$ref'].replace('#/definitions/', '')] ?? '';
  const alternatives = (schema['anyOf'] as JsonSchema[] | undefined) ?? [];
  if (alternatives.length > 0) {
    const forms = new Set(
      alternatives.map((one) => formOf(one, names) || (one['type'] === 'string' ? 'text' : '')),
    );
    forms.delete('');
    return forms.size === 1 && forms.has('text') ? '' : [...forms].join(', or ');
  }
  if (type === 'array')
    return ['list', formOf((schema['items'] ?? {}) as JsonSchema, names)].filter(Boolean).join(' of ');
  return typeof type === 'string' ? (TYPES[type] ?? '') : '';
}

const TYPES: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  integer: 'number',
  number: 'number',
  null: 'null',
  object: 'map',
};

function defaultOf(schema: JsonSchema): string {
  const value = 'default' in schema ? String(schema['default']) : '';
  return value === '' ? '' : `${value} when absent`;
}

export function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
}
