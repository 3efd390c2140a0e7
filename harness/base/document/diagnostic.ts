import { codeFrameColumns } from '@babel/code-frame';
import { createColors } from '../colors.js';
import { UsageError } from '../errors.js';

/** A place in a text file; line and column count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A place with its end (exclusive column). Without an end it is what begins there. */
export interface SourceRange extends SourcePosition {
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** One thing that is wrong in a file that the user wrote. */
export interface Diagnostic extends SourceRange {
  readonly message: string;
  /** what to write instead */
  readonly hint?: string;
}

/** A file of the user's is not what it should be: everything found wrong in it, in the order of the file. */
export class DocumentError extends UsageError {
  /** @param source the text of the file, for code frames */
  constructor(
    readonly diagnostics: readonly Diagnostic[],
    readonly source: string,
    options?: ErrorOptions,
  ) {
    super(
      diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, source, { color: false })).join('\n\n'),
      undefined,
      options,
    );
  }

  /** The first that is wrong, in a line, for what is told at another place: `file:line:column: message` */
  get inOneLine(): string {
    const [first] = this.diagnostics;
    return first ? `${first.file}:${first.line}:${first.column}: ${first.message}` : this.message;
  }
}

/** A diagnostic as compilers print it: `file:line:column: message`, the lines around it, the hint. */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  source: string,
  options: { readonly color: boolean },
): string {
  const colors = createColors(options.color);
  const { file, line, column, message, hint } = diagnostic;
  const parts = [`${colors.bold(`${file}:${line}:${column}:`)} ${colors.red(message)}`];
  if (source.trim() !== '') parts.push(codeFrame(diagnostic, source));
  if (hint !== undefined) parts.push(`  ${colors.cyan(hint)}`);
  return parts.join('\n');
}

/** Never highlighted: the highlighter of code-frame knows JavaScript only, and paints YAML at random. */
export function codeFrame(range: Omit<SourceRange, 'file'>, source: string): string {
  const { line, column, endLine, endColumn } = range;
  const end = endColumn === undefined ? {} : { end: { line: endLine ?? line, column: endColumn } };
  return codeFrameColumns(
    source,
    { start: { line, column }, ...end },
    { linesAbove: 2, linesBelow: 2, highlightCode: false },
  );
}
