import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseExpression, type Expression } from './kconfig-expression.js';

/** What a kernel tree's Kconfig files say of one option (Documentation/kbuild/kconfig-language.rst). */
export interface KconfigSymbol {
  readonly name: string;
  readonly definitions: KconfigDefinition[];
  /** options that force this one on, each with its condition */
  readonly selectedBy: { readonly by: string; readonly condition: Expression[] }[];
}

export interface KconfigDefinition {
  readonly file: string;
  readonly line: number;
  type?: 'bool' | 'tristate' | 'string' | 'hex' | 'int';
  /** conditions under which people may set it; undefined: never, it follows from others */
  prompt?: Expression[];
  /** all must hold: `depends on` of its own and of the menus and ifs around it */
  readonly dependsOn: Expression[];
  /** the choice that it is one of, by its place */
  readonly choice?: string;
}

export type Kconfig = ReadonlyMap<string, KconfigSymbol>;

/**
 * Reads the Kconfig files of a kernel tree, from its top file on. Macros (`$(cc-option,...)`) are not run: what hangs
 * on them is taken as given.
 */
export async function readKconfig(tree: string, arch = 'x86'): Promise<Kconfig> {
  const symbols = new Map<string, KconfigSymbol>();
  await readFileInto({ symbols, tree, arch }, 'Kconfig', []);
  return symbols;
}

interface Reading {
  readonly symbols: Map<string, KconfigSymbol>;
  readonly tree: string;
  readonly arch: string;
}

/** A menu, an `if` or a choice: what it asks of everything in it. */
interface Block {
  readonly kind: 'menu' | 'if' | 'choice';
  readonly place: string;
  readonly conditions: Expression[];
}

async function readFileInto(reading: Reading, file: string, around: readonly Block[]): Promise<void> {
  const text = await readFile(join(reading.tree, file), 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const blocks: Block[] = [...around];
  let definition: KconfigDefinition | undefined;
  let name = '';
  for (const { words, number } of statements(text)) {
    const [keyword, rest] = cut(words);
    if (keyword === 'config' || keyword === 'menuconfig') {
      name = rest.trim();
      definition = define(reading, name, file, number, blocks);
    } else if (keyword === 'menu' || keyword === 'choice' || keyword === 'if') {
      const conditions = keyword === 'if' ? [parseExpression(rest)] : [];
      blocks.push({ kind: keyword, place: `${file}:${number}`, conditions });
      definition = undefined;
    } else if (keyword === 'endmenu' || keyword === 'endchoice' || keyword === 'endif') {
      if (blocks.length > around.length) blocks.pop();
      definition = undefined;
    } else if (keyword === 'comment' || keyword === 'mainmenu') {
      definition = undefined;
      // its `depends on` is its own
      if (keyword === 'comment') definition = { file, line: number, dependsOn: [] };
    } else if (/^o?r?source$/.test(keyword)) {
      const path = rest.trim().replace(/^"|"$/g, '').replaceAll('$(SRCARCH)', reading.arch);
      if (!path.includes('$(')) await readFileInto(reading, path, blocks);
      definition = undefined;
    } else {
      attribute(reading, definition, name, blocks, keyword, rest);
    }
  }
}

function define(
  { symbols }: Reading,
  name: string,
  file: string,
  line: number,
  blocks: readonly Block[],
): KconfigDefinition {
  const choice = blocks.findLast(({ kind }) => kind === 'choice')?.place;
  const definition: KconfigDefinition = {
    file,
    line,
    dependsOn: blocks.flatMap(({ conditions }) => conditions),
    ...(choice === undefined ? {} : { choice }),
  };
  symbolNamed(symbols, name).definitions.push(definition);
  return definition;
}

/** A line that says something of the option, menu or choice above it. */
function attribute(
  { symbols }: Reading,
  definition: KconfigDefinition | undefined,
  name: string,
  blocks: readonly Block[],
  keyword: string,
  rest: string,
): void {
  if (keyword === 'depends') {
    const condition = parseExpression(rest.replace(/^\s*on\b/, ''));
    (definition?.dependsOn ?? blocks.at(-1)?.conditions)?.push(condition);
    return;
  }
  if (!definition) return;
  const type = /^(?:def_)?(bool|tristate|string|hex|int)$/.exec(keyword)?.[1] as KconfigDefinition['type'];
  if (type !== undefined) definition.type = type;
  if (keyword === 'prompt' || (type !== undefined && !keyword.startsWith('def_') && /["']/.test(rest)))
    definition.prompt = conditionOf(rest);
  if (keyword === 'select') {
    const [target] = cut(rest.trim());
    symbolNamed(symbols, target).selectedBy.push({
      by: name,
      condition: [...definition.dependsOn, ...conditionOf(rest)],
    });
  }
}

function conditionOf(rest: string): Expression[] {
  const condition = /\sif\s(.*)$/.exec(rest.replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/, '""'))?.[1];
  return condition === undefined ? [] : [parseExpression(condition)];
}

function symbolNamed(symbols: Map<string, KconfigSymbol>, name: string): KconfigSymbol {
  const known = symbols.get(name);
  if (known) return known;
  const created: KconfigSymbol = { name, definitions: [], selectedBy: [] };
  symbols.set(name, created);
  return created;
}

/** Lines with continuations joined, without comments and help texts. */
function* statements(text: string): Generator<{ words: string; number: number }> {
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const number = at + 1;
    let words = lines[at] ?? '';
    while (words.endsWith('\\') && at + 1 < lines.length) words = words.slice(0, -1) + (lines[++at] ?? '');
    if (/^\s*(#|$)/.test(words)) continue;
    if (/^\s*(help|---help---)\s*$/.test(words)) at = endOfHelp(lines, at + 1) - 1;
    else yield { words: words.trim(), number };
  }
}

/** A help text ends at the first line that is indented less than its first one. */
function endOfHelp(lines: readonly string[], from: number): number {
  const first = lines.findIndex((line, at) => at >= from && line.trim() !== '');
  if (first < 0) return lines.length;
  const indent = indentOf(lines[first] ?? '');
  if (indent === 0) return first;
  const end = lines.findIndex((line, at) => at > first && line.trim() !== '' && indentOf(line) < indent);
  return end < 0 ? lines.length : end;
}

function indentOf(line: string): number {
  return (/^\s*/.exec(line)?.[0] ?? '').replaceAll('\t', '        ').length;
}

function cut(words: string): [string, string] {
  const space = words.search(/[\s"(!]/);
  return space < 0 ? [words, ''] : [words.slice(0, space), words.slice(space)];
}
