/** What a file of the kernel's Documentation/ABI says of a path. */
export interface DocumentedPath {
  /** as it is written there */
  readonly what: string;
  /** `testing/sysfs-bus-cxl` */
  readonly file: string;
}

/**
 * The `What:` entries of a file. Several may stand under one another, each on a line of its own, with the field's name
 * or without it.
 * @param file its place below Documentation/ABI
 */
export function parseDocumentation(text: string, file: string): DocumentedPath[] {
  const found: DocumentedPath[] = [];
  let within = false;
  for (const line of text.split('\n')) {
    const field = /^([A-Z][A-Za-z ]*):\s*(.*)$/.exec(line);
    if (field) within = field[1] === 'What';
    else if (line.trim() === '') within = false;
    if (!within) continue;
    for (const what of splitPaths(field ? (field[2] ?? '') : line.trim())) found.push({ what, file });
  }
  return found;
}

/** Some files name two paths in one line. */
function splitPaths(text: string): string[] {
  const words = text.split(/(?<!readlink -f)(?:,\s*|\s+(?:and|or)\s+|\s+)(?=\/sys\/)/);
  return words
    .map((word) => word.trim().replace(/,$/, ''))
    .filter((word) => /^(\/sys|\$\(readlink)/.test(word));
}

/**
 * What matches the real paths that a documented one stands for. The files have no formal language; this knows what
 * they use: `X`, `Y`, `Z`, `N` for numbers, `[0..N]`, `<name>`, `{a,b}`, `*`, `...`, `$(readlink -f PATH)/..`.
 */
export function documentedPattern(what: string): RegExp {
  const plain = plainPath(what);
  let source = '';
  for (const [token] of plain.matchAll(TOKENS)) source += tokenPattern(token);
  return new RegExp(`^${source}$`);
}

function plainPath(what: string): string {
  return what.replace(/\$\(readlink -f ([^)]+)\)/g, '$1').replace(/\/+$/, '');
}

const TOKENS =
  /\[\d+\.\.+\w+\]|\[\w-\w\]|<[^>]*>|\{[^}]*\}|\.\.\.|(?<!\.)\.\.(?!\.)|\*|(?<![A-Z])[XYZNM](?![A-Za-z])|./gs;

function tokenPattern(token: string): string {
  if (/^\[\d+\.\./.test(token)) return '\\d+';
  if (/^\[\w-\w\]$/.test(token)) return token;
  if (token.startsWith('<') && token.endsWith('>')) return '[^/]+';
  if (token === '...') return '.*';
  if (token === '*') return '[^/]*';
  if (/^[XYZNM]$/.test(token)) return '\\d+';
  if (token.startsWith('{') && token.endsWith('}')) {
    const choices = token.slice(1, -1).split(',');
    return `(?:${choices.map((choice) => choice.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})`;
  }
  return token.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Looks paths up in the documentation. */
export interface Documentation {
  /** the file that documents one of the paths, which all are of one attribute */
  fileOf(paths: readonly string[]): string | undefined;
  readonly entries: readonly DocumentedPath[];
}

/** What speaks of any device (`/sys/.../uevent`) is asked last; what ends in any name names no attribute. */
export function documentationOf(entries: readonly DocumentedPath[]): Documentation {
  const compiled = entries
    .filter(({ what }) => !/\/(?:<[^/]*>|\*|\.\.\.)\/*$/.test(what))
    .sort((a, b) => Number(a.what.includes('...')) - Number(b.what.includes('...')))
    .map((entry) => ({ ...entry, pattern: documentedPattern(entry.what), begin: literalBegin(entry.what) }));
  return {
    entries,
    fileOf: (paths) =>
      compiled.find(({ pattern, begin }) =>
        paths.some((path) => path.startsWith(begin) && pattern.test(path)),
      )?.file,
  };
}

/** What all paths begin with that it stands for: of thousands of entries few are of the same bus. */
function literalBegin(what: string): string {
  return plainPath(what).replace(/[[<{*A-Z].*|\.\.\..*/s, '');
}
