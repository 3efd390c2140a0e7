import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument as parseYaml,
  visit,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import { DocumentError, type Diagnostic, type SourceRange } from './diagnostic.js';

export type DocumentPath = readonly (string | number)[];

/** A YAML text as plain values, with the place of each. */
export interface YamlDocument {
  readonly file: string;
  readonly source: string;
  readonly raw: unknown;
  /**
   * Where the value at a path stands, or its key. If the path leads nowhere (a missing key): the nearest enclosing
   * thing that is there, by its key if it has one.
   */
  readonly at: (path: DocumentPath, part?: 'value' | 'key') => SourceRange;
}

/** Far more than a person writes; a file above it is a mistake or an attack. */
const MAX_BYTES = 2 ** 20;
const MAX_DEPTH = 64;
/** How many nodes aliases may expand to, each weighed by what it repeats: enough for anchors, too few for a bomb. */
const MAX_ALIASES = 100;

/**
 * Reads one YAML document.
 * @throws DocumentError on bad syntax, duplicate or non-text keys, unknown tags, integers that lose digits, a text above 1 MiB,
 * nesting beyond 64 levels, and aliases that multiply
 */
export function readYaml(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const rangeOf = (start: number, end?: number): SourceRange => toRange(file, lines, start, end);
  const refuse = (found: readonly Diagnostic[]): never => {
    throw new DocumentError(found, text.length > MAX_BYTES ? '' : text);
  };
  if (Buffer.byteLength(text) > MAX_BYTES) {
    refuse([{ file, line: 1, column: 1, message: 'the file is larger than 1 MiB' }]);
  }
  const tooDeep = { file, line: 1, column: 1, message: `nested deeper than ${MAX_DEPTH} levels` };
  if (flowDepth(text) > MAX_DEPTH) refuse([tooDeep]);

  let document: Document.Parsed;
  try {
    document = parseYaml(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: '1.2' });
  } catch (error) {
    if (error instanceof RangeError) return refuse([tooDeep]);
    throw error;
  }
  // the composer recurses: nesting by indentation can exhaust the stack, which it throws or reports
  if (document.errors.some(({ message }) => message.includes('call stack'))) refuse([tooDeep]);
  const problems = [...document.errors, ...document.warnings].map((problem) => ({
    ...rangeOf(problem.pos[0], problem.pos[1]),
    message: plainSyntaxMessage(problem.message),
  }));
  if (problems.length > 0) refuse(problems);
  const unfit = unfitNodes(document, rangeOf);
  if (unfit.length > 0) refuse(unfit);

  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return refuse([{ file, line: 1, column: 1, message: 'the aliases of this file expand to too much' }]);
  }
  return { file, source: text, raw, at: (path, part = 'value') => locate(document, rangeOf, path, part) };
}

/** Brackets open at once, at most. Quotes and comments may add to it: the limit is far from what people write. */
function flowDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if ((character === ']' || character === '}') && depth > 0) depth--;
  }
  return deepest;
}

function unfitNodes(
  document: Document.Parsed,
  rangeOf: (start: number, end?: number) => SourceRange,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const complain = (node: Node, message: string, hint?: string): void => {
    const [start, end] = node.range ?? [0, 0];
    found.push({ ...rangeOf(start, end), message, ...(hint === undefined ? {} : { hint }) });
  };
  visit(document, {
    Node(_key, node, ancestors) {
      if (ancestors.filter(isCollection).length >= MAX_DEPTH) {
        complain(node, `nested deeper than ${MAX_DEPTH} levels`);
        return visit.BREAK;
      }
      if (isScalar(node) && Number.isInteger(node.value) && !Number.isSafeInteger(node.value)) {
        complain(node, 'this number is too large to be kept exactly', 'put it in quotes');
      }
      return undefined;
    },
    Pair(_key, pair) {
      const key = pair.key as Node;
      if (!isScalar(key) || key.value === null || typeof key.value === 'object') {
        complain(key, 'a key must be text');
      } else if (key.value === '__proto__') {
        complain(key, '__proto__ cannot be a key');
      }
    },
  });
  return found;
}

function locate(
  document: Document.Parsed,
  rangeOf: (start: number, end?: number) => SourceRange,
  path: DocumentPath,
  part: 'value' | 'key',
): SourceRange {
  let node: Node | null = document.contents;
  let key: Node | undefined;
  let found = true;
  for (const step of path) {
    const next: { key?: Node; value: Node | null } | undefined = child(resolveAlias(node, document), step);
    if (!next) {
      found = false;
      break;
    }
    node = next.value;
    key = next.key ?? key;
    if (next.key === undefined && node) key = undefined;
  }
  const place = key !== undefined && (part === 'key' || !found || !node) ? key : (node ?? key);
  const [start, end] = place?.range ?? [0, 0];
  return isCollection(place) ? rangeOf(start) : rangeOf(start, end);
}

function child(
  node: Node | null | undefined,
  step: string | number,
): { key?: Node; value: Node | null } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(
      (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === `${step}`,
    );
    return pair && { key: pair.key as Node, value: (pair as Pair<Node, Node | null>).value };
  }
  if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
    return { value: node.items[step] as Node };
  }
  return undefined;
}

function resolveAlias(node: Node | null, document: Document.Parsed): Node | null | undefined {
  return isAlias(node) ? node.resolve(document) : node;
}

function toRange(file: string, lines: LineCounter, start: number, end?: number): SourceRange {
  const first = lines.linePos(start);
  const place = { file, line: Math.max(first.line, 1), column: Math.max(first.col, 1) };
  if (end === undefined || end <= start) return place;
  const last = lines.linePos(end);
  return last.line === first.line ? { ...place, endLine: last.line, endColumn: last.col } : place;
}

function plainSyntaxMessage(message: string): string {
  if (/^Map keys must be unique/.test(message)) return 'this key is there twice';
  return message.replace(/\s+/g, ' ');
}

/** Names of the YAML files of a folder, without their ending, in order. */
export async function yamlNames(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}
