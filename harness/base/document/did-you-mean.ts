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

/** The hint for an unknown name: the likely one, else all there are. */
export function nameHint(name: string, candidates: readonly string[], what: string): string {
  const likely = didYouMean(name, candidates);
  if (likely !== undefined) return `did you mean ${likely}?`;
  return candidates.length === 0 ? `there is no ${what}` : `${what}: ${candidates.join(', ')}`;
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
