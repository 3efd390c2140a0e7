import { isContainer } from '../../base/plain.js';
import { valueAt } from '../../scenario/load/expand.js';

/** A scenario or a part of it, as plain values. */
export type Plain = Readonly<Record<string, unknown>>;
export type Path = readonly (string | number)[];

/** A change of a document: the value at the path becomes another, or goes. */
export interface Edit {
  readonly path: Path;
  /** absent: the value goes, from its list or its map */
  readonly to?: unknown;
}

/** The document after the edits, each of which names its place in the document as it is before them. */
export function edited(document: Plain, edits: readonly Edit[]): Plain {
  const result = structuredClone(document);
  for (const { path, to } of edits) if (to !== undefined) put(result, path, structuredClone(to));
  const removals = new Map(
    edits.flatMap(({ path, to }) => (to === undefined ? [[JSON.stringify(path), path]] : [])),
  );
  // from the end, so that no index changes before its turn
  for (const path of [...removals.values()].sort(comparePaths).reverse()) remove(result, path);
  return result;
}

function comparePaths(a: Path, b: Path): number {
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (part === other) continue;
    return typeof part === 'number' && typeof other === 'number' ? part - other : part < other ? -1 : 1;
  }
  return a.length - b.length;
}

function put(document: Plain, path: Path, to: unknown): void {
  const holder = valueAt(document, path.slice(0, -1));
  const last = path.at(-1);
  if (last !== undefined && isContainer(holder)) holder[last] = to;
}

function remove(document: Plain, path: Path): void {
  const holder = valueAt(document, path.slice(0, -1));
  const last = path.at(-1);
  if (Array.isArray(holder) && typeof last === 'number') holder.splice(last, 1);
  else if (isContainer(holder) && last !== undefined) Reflect.deleteProperty(holder, last);
}
