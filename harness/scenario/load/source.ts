import type { SourceRange } from '../../base/document/diagnostic.js';
import type { DocumentPath, YamlDocument } from '../../base/document/yaml.js';
import type { Reference } from '../language/references.js';
import { referencesIn } from '../language/references.js';

/** A scenario's YAML text, with the places of things that are smaller than a YAML value. */
export interface ScenarioSource {
  readonly document: YamlDocument;
  at(path: DocumentPath, part?: 'value' | 'key'): SourceRange;
  /** where a reference stands within the text at a path */
  atReference(path: DocumentPath, text: string, reference: Reference): SourceRange;
  /** a number or boolean as it is written: `0x1000`, `0.50` */
  written(path: DocumentPath, value: number | boolean): string;
}

/** Places are looked up often, once for every case: each is found once. */
export function scenarioSource(document: YamlDocument): ScenarioSource {
  const lines = document.source.split('\n');
  const known = new Map<string, SourceRange>();
  const at = (path: DocumentPath, part: 'value' | 'key' = 'value'): SourceRange => {
    const key = JSON.stringify([part, path]);
    const place = known.get(key) ?? document.at(path, part);
    known.set(key, place);
    return place;
  };

  const atReference = (path: DocumentPath, text: string, reference: Reference): SourceRange => {
    const place = at(path);
    const token = text.slice(reference.start, reference.end);
    const before = referencesIn(text.slice(0, reference.start)).filter(
      ({ start, end }) => text.slice(start, end) === token,
    ).length;
    return occurrence(lines, place, token, before) ?? place;
  };

  const written = (path: DocumentPath, value: number | boolean): string => {
    const { line, column, endColumn } = at(path);
    const text =
      lines[line - 1]?.slice(column - 1, endColumn === undefined ? undefined : endColumn - 1) ?? '';
    // not where an alias or a tag stands for it
    return /^[-+]?[\w.][\w.+-]*$/.test(text) && !text.includes('!') ? text : String(value);
  };

  return { document, at, atReference, written };
}

/**
 * The nth place of a token from a place on. Escapes and folding of quoted and block texts never change a `${name}`,
 * so it can be searched in the source; an alias (`*x`) has its text elsewhere.
 */
function occurrence(
  lines: readonly string[],
  from: SourceRange,
  token: string,
  nth: number,
): SourceRange | undefined {
  if (token.includes('\n') || lines[from.line - 1]?.charAt(from.column - 1) === '*') return undefined;
  let left = nth;
  let column = from.column - 1;
  for (let line = from.line - 1; line < (from.endLine ?? lines.length); line++) {
    const text = lines[line] ?? '';
    for (
      let found = text.indexOf(token, column);
      found !== -1;
      found = text.indexOf(token, found + token.length)
    ) {
      const escaped = text.charAt(found - 1) === '$';
      if (!escaped && left-- === 0) {
        const [start, end] = [found + 1, found + 1 + token.length];
        return { file: from.file, line: line + 1, column: start, endLine: line + 1, endColumn: end };
      }
    }
    column = 0;
  }
  return undefined;
}
