/**
 * `${name}` in texts. Variables and matrix values are put in when the scenario is loaded (expand.ts); captures, made
 * by steps, stay until the case runs, and so does `$${`, the written form of a `${` that is none.
 */

export interface Reference {
  /** as it stands between the braces: `r`, `r.dax` */
  readonly name: string;
  /** up to the first dot: what a variable or a capture is called */
  readonly root: string;
  /** where it begins and ends in the text */
  readonly start: number;
  readonly end: number;
}

const TOKEN = /\$\$\{|\$\{([^}]*)\}?/g;
const NAME = /^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;

/** The references of a text, in order, well-formed or not; `$${` is none. */
export function referencesIn(text: string): Reference[] {
  return [...text.matchAll(TOKEN)].flatMap((match) => {
    const [token, name] = match;
    if (name === undefined) return [];
    return [{ name, root: name.split('.')[0] ?? '', start: match.index, end: match.index + token.length }];
  });
}

/** Whether a reference is written as one: `${name}` or `${name.part}`, closed. */
export function isWellFormed(reference: Reference): boolean {
  return NAME.test(reference.name) && reference.end - reference.start === reference.name.length + 3;
}

/** The text with every reference replaced; `$${` is kept. */
export function replaceReferences(text: string, replacement: (reference: Reference) => string): string {
  let result = '';
  let done = 0;
  for (const reference of referencesIn(text)) {
    result += text.slice(done, reference.start) + replacement(reference);
    done = reference.end;
  }
  return result + text.slice(done);
}

/** The text with `$${` as the `${` that it stands for: the last thing done to a text before it is used. */
export function unescapeReferences(text: string): string {
  return text.replaceAll('$${', '${');
}

/** The one reference that a text consists of, if it does: its value is put in with its type. */
export function soleReference(text: string): Reference | undefined {
  const [only, ...more] = referencesIn(text);
  return only && more.length === 0 && only.start === 0 && only.end === text.length ? only : undefined;
}
