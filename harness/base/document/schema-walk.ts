import type { z } from 'zod';
import { didYouMean } from './did-you-mean.js';

export type Schema = z.core.$ZodType;
export type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * The issues of a failed validation with every union resolved to the branch that fits its value best. zod reports
 * all branches of a union, or the one whose failure came last: neither is what the author of the file needs.
 */
export function bestIssues(issues: readonly Issue[], schema: Schema, input: unknown): Issue[] {
  const resolved: Issue[] = [];
  const unionsDone = new Set<string>();
  for (const issue of issues) {
    const union = outermostUnion(schema, issue.path, input);
    if (!union) {
      resolved.push(issue);
      continue;
    }
    const branch = bestBranch(union.options, union.value);
    if (!branch) {
      resolved.push(issue);
      continue;
    }
    const place = union.path.join('\0');
    if (unionsDone.has(place)) continue;
    unionsDone.add(place);
    resolved.push(...branch.map((inner) => ({ ...inner, path: [...union.path, ...inner.path] })));
  }
  return withoutConsequences(resolved);
}

/** The schemas that could describe what is at the path: several where unions are on the way. */
export function descend(schema: Schema, path: Path): Schema[] {
  let level = [schema];
  for (const step of path) level = level.flatMap((one) => childSchemas(one, step));
  return level;
}

/** The keys that a map at the path may have. */
export function keysOf(schema: Schema, path: Path): string[] {
  const shapes = descend(schema, path)
    .flatMap(alternatives)
    .map((one) => (hasType(one, 'object') ? Object.keys(one._zod.def.shape) : []));
  return [...new Set(shapes.flat())];
}

interface UnionOnTheWay {
  readonly options: readonly Schema[];
  readonly path: PropertyKey[];
  readonly value: unknown;
}

function outermostUnion(schema: Schema, path: Path, input: unknown): UnionOnTheWay | undefined {
  let current: Schema | undefined = schema;
  let value = input;
  const walked: PropertyKey[] = [];
  for (const step of [...path, undefined]) {
    if (!current) return undefined;
    const inner = unwrap(current);
    if (hasType(inner, 'union')) return { options: alternatives(inner), path: walked, value };
    if (step === undefined) return undefined;
    current = childSchemas(inner, step)[0];
    value = (value as Record<PropertyKey, unknown> | null | undefined)?.[step];
    walked.push(step);
  }
  return undefined;
}

/**
 * @returns the issues of the branch that is nearest to the value; undefined when a branch accepts the value, so that
 * the fault must be in a rule of the union as a whole
 */
function bestBranch(options: readonly Schema[], value: unknown): Issue[] | undefined {
  const branches: { issues: Issue[]; misfit: number }[] = [];
  for (const option of options) {
    const result = (option as z.ZodType).safeParse(value);
    if (result.success) return undefined;
    const issues = bestIssues(result.error.issues, option, value);
    branches.push({ issues, misfit: misfit(issues, value) });
  }
  branches.sort((a, b) => a.misfit - b.misfit);
  const [best] = branches;
  if (!best) return undefined;
  const roots = branches.map(({ issues }) => issues[0]);
  return best.misfit >= WRONG_TYPE ? mergeTypes(roots, best.issues) : best.issues;
}

const WRONG_TYPE = 1000;

/** How far a value is from a branch: of another type is worst, then keys that miss or are too many, then the rest. */
function misfit(issues: readonly Issue[], value: unknown): number {
  let points = 0;
  for (const issue of issues) {
    if (issue.path.length === 0 && issue.code === 'invalid_type') points += WRONG_TYPE;
    else if (issue.code === 'invalid_value' && typeof value === 'string') points += 1;
    else if (issue.path.length === 0 && issue.code === 'unrecognized_keys') points += 10 * issue.keys.length;
    else if (issue.path.length === 1 && isMissing(value, issue.path[0])) points += 10;
    else points += 2;
  }
  return points;
}

function isMissing(value: unknown, key: PropertyKey | undefined): boolean {
  return typeof value === 'object' && value !== null && key !== undefined && !(key in value);
}

/** When the value has the type of no branch: one sentence with all types. */
function mergeTypes(roots: readonly (Issue | undefined)[], otherwise: Issue[]): Issue[] {
  const types = roots.flatMap((issue) => (issue?.code === 'invalid_type' ? [issue] : []));
  const [first] = types;
  if (!first) return otherwise;
  const expected = [...new Set(types.map((issue) => issue.expected))].join(' or ');
  return [
    {
      ...first,
      expected: expected,
      message: types.length === 1 ? first.message : first.message.replace(first.expected, expected),
    },
  ];
}

/**
 * An unknown key explains what else is wrong at its level: the key is missing that it was meant to be, and the rules
 * of the map as a whole do not hold.
 */
function withoutConsequences(issues: readonly Issue[]): Issue[] {
  const unknownKeys = new Map(
    issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys' ? [[issue.path.join('\0'), issue.keys] as const] : [],
    ),
  );
  return issues.filter(({ code, path, message }) => {
    if (code === 'custom') return !unknownKeys.has(path.join('\0'));
    const siblings = unknownKeys.get(path.slice(0, -1).join('\0'));
    const isMissing = code === 'invalid_type' && message.endsWith('received undefined');
    return !(isMissing && siblings?.some((key) => didYouMean(key, [String(path.at(-1))]) !== undefined));
  });
}

function alternatives(schema: Schema): Schema[] {
  const inner = unwrap(schema);
  return hasType(inner, 'union') ? inner._zod.def.options.flatMap(alternatives) : [inner];
}

function childSchemas(schema: Schema, step: PropertyKey): Schema[] {
  return alternatives(schema).flatMap((inner): Schema[] => {
    if (hasType(inner, 'object')) {
      const { shape } = inner._zod.def;
      const child = Object.hasOwn(shape, step) ? shape[step as string] : undefined;
      return child ? [child] : [];
    }
    if (hasType(inner, 'array')) return typeof step === 'number' ? [inner._zod.def.element] : [];
    if (hasType(inner, 'record')) return [inner._zod.def.valueType];
    return [];
  });
}

function unwrap(schema: Schema): Schema {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return unwrap(def.innerType);
    case 'lazy':
      return unwrap(def.getter());
    case 'pipe':
      return unwrap(def.in);
    default:
      return schema;
  }
}

interface SchemaOfType {
  object: z.core.$ZodObject;
  array: z.core.$ZodArray;
  record: z.core.$ZodRecord;
  union: z.core.$ZodUnion;
}

function hasType<T extends keyof SchemaOfType>(schema: Schema, type: T): schema is SchemaOfType[T] {
  return schema._zod.def.type === type;
}
