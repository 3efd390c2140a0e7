import type { StepDocument } from '../language/language.js';

/** A line as a person typed it, with what the guest's shell made of it and what came of it. */
export interface RecordedLine {
  readonly text: string;
  /** for `echo VALUE > PATH` and `cat PATH`: both with the shell's variables and folder put in */
  readonly simple?: SimpleLine;
  readonly stdout: string;
  readonly code: number;
  readonly errno?: string;
  /** lines before it that set what it needs: variables, the folder */
  readonly context: readonly string[];
}

export type SimpleLine =
  | { readonly kind: 'write'; readonly path: string; readonly value: string }
  | { readonly kind: 'read'; readonly path: string };

/** Words of the shell that a step of its own kind could not keep: pipes, lists, substitutions, redirections. */
const SHELL_WORDS = /[|&;<>()`$*?[\]{}~\\"']/;

/**
 * What the guest's shell must be asked to know a line's value and path, if the line is one of the simple ones.
 * Each is a word list to be expanded by the shell that the line is typed into.
 */
export function wordsOf(
  text: string,
): { kind: 'write'; value: string; path: string } | { kind: 'read'; path: string } | undefined {
  const write = /^\s*echo\s+([^|&;<>]*?)\s*>\s*([^\s|&;<>()]+)\s*$/.exec(text);
  if (write) {
    const [, value = '', path = ''] = write;
    return value.startsWith('-') ? undefined : { kind: 'write', value, path };
  }
  const read = /^\s*cat\s+([^\s|&;<>()]+)\s*$/.exec(text);
  return read?.[1] === undefined ? undefined : { kind: 'read', path: read[1] };
}

/** Lines that only change the shell they are typed into: no step, but what later lines may stand on. */
export function isContext(text: string): boolean {
  return /^\s*(cd(\s+[^|&;<>]+)?|(export\s+)?[A-Za-z_]\w*=(\S*|\$\(.*\)|"[^"]*"|'[^']*'))\s*$/.test(text);
}

/** The step that does what the line did, and says what came of it. */
export function stepOf(line: RecordedLine, name: string | undefined): StepDocument {
  const common = { ...(name !== undefined && { name }) };
  const refused = line.errno === undefined ? {} : { fails: line.errno };
  const { simple } = line;
  if (simple?.kind === 'write' && isAttribute(simple.path)) {
    return { ...common, write: { path: simple.path, value: simple.value }, ...refused };
  }
  if (simple?.kind === 'read' && isAttribute(simple.path)) {
    const content = line.stdout.trim();
    const equals = line.code === 0 && content !== '' && !content.includes('\n') ? { equals: content } : {};
    return { ...common, read: { path: simple.path, ...equals }, ...refused };
  }
  const tool = /^\s*(cxl|daxctl|ndctl)\s+(.*?)\s*$/.exec(line.text);
  if (tool && !SHELL_WORDS.test(line.text)) {
    const exit = line.code === 0 ? {} : { exit: line.code };
    return { ...common, [tool[1] as 'cxl']: { args: tool[2] ?? '', ...exit } };
  }
  const module = /^\s*(modprobe|rmmod|modprobe\s+-r)\s+([\w-]+)\s*$/.exec(line.text);
  if (module?.[2] !== undefined) {
    const body = module[1] === 'modprobe' ? { load: module[2] } : { unload: module[2] };
    return { ...common, module: body, ...refused };
  }
  const sh = [...line.context, line.text.trim()].join('\n');
  return {
    ...common,
    exec: { sh: sh.replaceAll('${', () => '$${'), ...(line.code === 0 ? {} : { exit: line.code }) },
  };
}

function isAttribute(path: string): boolean {
  return /^\/(sys|proc|dev)\//.test(path);
}
