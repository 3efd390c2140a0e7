import { z } from 'zod';
import type { Diagnostic } from './diagnostic.js';
import { didYouMean } from './did-you-mean.js';
import { bestIssues, descend, keysOf, type Issue, type Schema } from './schema-walk.js';
import type { DocumentPath, YamlDocument } from './yaml.js';

export interface DiagnoseOptions {
  /** what was validated, when it is not the file as it stands: a scenario after its variables were put in */
  readonly input?: unknown;
  /** where in the file the validated part stands */
  readonly base?: DocumentPath;
}

/**
 * What zod found wrong, as diagnostics at the places of the file, in its order and in words for the person who
 * wrote it. A union speaks with the voice of the branch that fits the value best.
 */
export function diagnose(
  error: z.ZodError,
  document: YamlDocument,
  schema: z.ZodType,
  options: DiagnoseOptions = {},
): Diagnostic[] {
  const base = options.base ?? [];
  const input = 'input' in options ? options.input : valueAt(document.raw, base);
  const issues = bestIssues(error.issues, schema, input);
  const found = issues.flatMap((issue) => wordIssue(issue, schema, input, document, base));
  return inFileOrder(found);
}

function wordIssue(
  issue: Issue,
  schema: Schema,
  input: unknown,
  document: YamlDocument,
  base: DocumentPath,
): Diagnostic[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  const place = [...base, ...path];
  const value = valueAt(input, path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schema, path);
    return issue.keys.map((key) => ({
      ...document.at([...place, key], 'key'),
      message: `unknown key \`${key}\``,
      ...hint(unknownKeyHint(key, known, value)),
    }));
  }
  if (issue.code === 'invalid_key') {
    const [reason] = issue.issues;
    const key = String(path.at(-1));
    return [
      {
        ...document.at(place, 'key'),
        message: `key \`${key}\`: ${reason ? wording(reason, key) : 'not allowed'}`,
      },
    ];
  }
  if (value === undefined && path.length > 0 && issue.code !== 'custom') {
    return [
      {
        ...document.at(place),
        message: `\`${String(path.at(-1))}\` is missing`,
        ...hint(
          descend(schema, path)
            .map(descriptionOf)
            .find((text) => text !== undefined),
        ),
      },
    ];
  }
  return [{ ...document.at(place), message: wording(issue, value), ...hint(valueHint(issue, value)) }];
}

/** The issue in words; a message that the schema's author wrote is used as it is. */
function wording(issue: Issue, value: unknown): string {
  if (issue.message !== defaultMessage(issue, value)) return withValue(issue.message, value);
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeName(issue.expected)}, found ${found(value)}`;
    case 'invalid_value':
      return `expected ${oneOf(issue.values.map(String))}, found ${found(value)}`;
    case 'too_small':
      return limit(issue.origin, 'at least', issue.inclusive === false, issue.minimum);
    case 'too_big':
      return limit(issue.origin, 'at most', issue.inclusive === false, issue.maximum);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}, found ${found(value)}`;
    case 'invalid_format':
      return `${found(value)} is not written as expected${issue.pattern === undefined ? '' : `: ${issue.pattern}`}`;
    case 'invalid_union':
      return `${found(value)} does not fit here`;
    default:
      return issue.message;
  }
}

const english = z.locales.en().localeError;

function defaultMessage(issue: Issue, value: unknown): string | undefined {
  const said = english({ ...issue, input: value } as z.core.$ZodRawIssue);
  return typeof said === 'object' ? said?.message : (said ?? undefined);
}

/** "not a size" says more with the text that is none. */
function withValue(message: string, value: unknown): string {
  return message.startsWith('not ') && typeof value !== 'object' ? `${found(value)} is ${message}` : message;
}

function limit(origin: string, words: string, exclusive: boolean, bound: number | bigint): string {
  if (origin === 'array') return `the list needs ${words} ${bound} ${bound === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return bound === 1 ? 'must not be empty' : `needs ${words} ${bound} characters`;
  if (exclusive) return `must be ${words === 'at least' ? 'greater' : 'less'} than ${bound}`;
  return `must be ${words} ${bound}`;
}

function unknownKeyHint(key: string, known: readonly string[], value: unknown): string | undefined {
  const present = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const likely = didYouMean(key, known);
  if (likely !== undefined) return `did you mean \`${likely}\`?`;
  const free = known.filter((name) => !present.includes(name));
  return free.length === 0 ? undefined : `keys that can stand here: ${free.join(', ')}`;
}

function valueHint(issue: Issue, value: unknown): string | undefined {
  if (issue.code !== 'invalid_value' || typeof value !== 'string') return undefined;
  const likely = didYouMean(value, issue.values.map(String));
  return likely === undefined ? undefined : `did you mean ${likely}?`;
}

function descriptionOf(schema: Schema): string | undefined {
  return z.globalRegistry.get(schema)?.description;
}

function hint(text: string | undefined): { hint?: string } {
  return text === undefined ? {} : { hint: text };
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
  null: 'nothing (null)',
};

function typeName(expected: string): string {
  return expected
    .split(' or ')
    .map((name) => TYPE_NAMES[name] ?? name)
    .join(' or ');
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`;
}

function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing (null)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map of keys';
  return JSON.stringify(value);
}

function valueAt(value: unknown, path: DocumentPath): unknown {
  let inner = value;
  for (const step of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, step)) return undefined;
    inner = (inner as Record<string | number, unknown>)[step];
  }
  return inner;
}

function inFileOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const distinct = new Map(diagnostics.map((one) => [`${one.line}:${one.column}:${one.message}`, one]));
  return [...distinct.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}
