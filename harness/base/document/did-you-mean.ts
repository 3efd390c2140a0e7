import { closest, distance } from 'fastest-levenshtein';

/**
 * The candidate that a mistyped name most likely meant: compared without case and with `_` as `-`.
 * @returns undefined when nothing is near enough to be worth saying
 */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const byPlainName = new Map<string, string>();
  for (const candidate of candidates) byPlainName.set(plain(candidate), candidate);
  if (byPlainName.size === 0) return undefined;
  const nearest = closest(plain(name), [...byPlainName.keys()]);
  const errors = distance(plain(name), nearest);
  const near = errors <= tolerance(name) || (errors === 2 && letters(name) === letters(nearest));
  return near ? byPlainName.get(nearest) : undefined;
}

/** More names than these are no answer to somebody who mistyped one. */
const MOST_LISTED = 30;

/** The hint for an unknown name: the likely one, those that it is a part of, or all there are. */
export function nameHint(name: string, candidates: readonly string[], what: string): string {
  const likely = didYouMean(name, candidates);
  if (likely !== undefined) return `did you mean ${likely}?`;
  if (candidates.length === 0) return `there is no ${what}`;
  const containing = name.length < 3 ? [] : candidates.filter((one) => plain(one).includes(plain(name)));
  const [first, second] = containing;
  if (first !== undefined && second === undefined) return `did you mean ${first}?`;
  const named = containing.length > 0 ? containing : candidates;
  const more = named.length - MOST_LISTED;
  return `${what}: ${named.slice(0, MOST_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** Equal for names that differ by swapped letters only, which count as two errors. */
function letters(name: string): string {
  return Array.from(plain(name)).sort().join('');
}

/** A third of the name may be wrong; in names of three letters or less, one letter. */
function tolerance(name: string): number {
  return Math.max(1, Math.round(name.length / 3));
}
