import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SourcePosition } from '../base/document/diagnostic.js';

/** Where in a test something was called, as the stack of an error tells it; the fallback when it tells of no such place. */
export function positionOf({ stack = '' }: Error, fallback: SourcePosition): SourcePosition {
  for (const frame of stack.split('\n')) {
    const [, path, line, column] = /((?:file:\/\/)?\/[^():]+):(\d+):(\d+)\)?$/.exec(frame) ?? [];
    if (path === undefined) continue;
    const file = path.startsWith('file:') ? fileURLToPath(path) : path;
    if (file !== fallback.file) continue;
    return { file, line: Number(line), column: Number(column) };
  }
  return fallback;
}

/** How a test is called in reports: its file without endings, relative to the folder of the project. */
export function nameOfFile(file: string, root: string): string {
  return relative(root, file).replace(/(?:\.(?:test|spec|cases))?\.[cm]?[jt]s$/, '');
}
