import { RE2JS } from 're2js';
import { UsageError } from './errors.js';

/**
 * The one matcher for every regular expression that a scenario holds. RE2 takes time linear in the text whatever the
 * expression is: a scenario from a stranger must not keep the host busy for ever, as `(a+)+$` keeps JavaScript's own
 * engine. Hence there are no backreferences and no lookaround; `(?i)` and the other flags of RE2 are there.
 * https://github.com/google/re2/wiki/Syntax
 * @param options.lines `^` and `$` match at each line
 * @returns whether the expression matches anywhere in the text
 * @throws UsageError that says what is wrong with the expression, as it is with captures put in
 */
export function matches(text: string, source: string, options: { readonly lines?: boolean } = {}): boolean {
  const fault = patternFault(source);
  if (fault !== undefined)
    throw new UsageError(`${JSON.stringify(source)} is not a regular expression: ${fault}`);
  return compiled(source, options.lines ? RE2JS.MULTILINE : 0)
    .matcher(text)
    .find();
}

/** What is wrong with a regular expression; undefined when nothing is. */
export function patternFault(source: string): string | undefined {
  try {
    compiled(source, 0);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^error parsing regexp: /, '');
  }
}

/** The newest ones, as one expression is held against many lines. */
const newest = new Map<string, RE2JS>();
const MOST_KEPT = 100;

function compiled(source: string, flags: number): RE2JS {
  const key = `${flags}:${source}`;
  const known = newest.get(key);
  if (known) return known;
  const fresh = RE2JS.compile(source, flags);
  if (newest.size >= MOST_KEPT) newest.clear();
  newest.set(key, fresh);
  return fresh;
}
