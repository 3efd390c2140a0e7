import { RE2JS } from 're2js';

/** A regular expression that somebody else wrote. */
export interface Pattern {
  /** whether it matches anywhere in the text */
  test(text: string): boolean;
}

/**
 * Compiles a regular expression of a scenario. RE2 takes time linear in the text whatever the expression is: a scenario
 * from a stranger must not keep the host busy for ever, as `(a+)+$` keeps JavaScript's own engine. Hence there are no
 * backreferences and no lookaround.
 * @param options.lines `^` and `$` match at each line
 * @throws Error that says what is wrong with it
 */
export function compilePattern(source: string, options: { readonly lines?: boolean } = {}): Pattern {
  const compiled = RE2JS.compile(source, options.lines ? RE2JS.MULTILINE : 0);
  return { test: (text) => compiled.matcher(text).find() };
}

/** What is wrong with a regular expression; undefined when nothing is. */
export function patternFault(source: string): string | undefined {
  try {
    compilePattern(source);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^error parsing regexp: /, '');
  }
}
