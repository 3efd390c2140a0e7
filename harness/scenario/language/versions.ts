/**
 * Version ranges of kernels (and QEMU): `>=7.3`, `>=6.12 <7.3`, `<6.10 || >=7.0`, `<7.3-rc4`, `=6.12`.
 * Kernel releases are no semantic versions: `7.3.4+deb13-cloud-amd64` has a packager's suffix, and a release
 * candidate already holds what its merge window brought.
 */

type Comparison = '<' | '<=' | '=' | '!=' | '>=' | '>';

interface Version {
  /** one to four numbers, as many as were written */
  readonly numbers: readonly number[];
  /** the number after -rc; undefined: a release */
  readonly candidate?: number;
}

interface Comparator {
  readonly comparison: Comparison;
  readonly version: Version;
}

/** Alternatives, each of comparators that must all hold. */
export type VersionRange = readonly (readonly Comparator[])[];

const RELEASE = /^(\d{1,6}(?:\.\d{1,6}){0,3})(?:-rc(\d{1,4}))?/;
const COMPARATOR = /^(<=|>=|!=|<|>|=)?(\d{1,6}(?:\.\d{1,6}){0,3})(?:-rc(\d{1,4}))?$/;

/**
 * Whether a release (`uname -r`, or QEMU's version) lies in a range.
 *
 * Numbers are compared as far as the range writes them: 7.3.4 satisfies `=7.3` and `<=7.3`, not `>7.3`.
 * A range that names no release candidate takes the candidates of a version as that version, because what the
 * merge window brought is in rc1 already: 7.3.0-rc2 satisfies `>=7.3` and not `<7.3`. One that does is exact.
 *
 * @returns undefined when either text is not what it should be
 */
export function satisfies(release: string, range: string): boolean | undefined {
  const match = RELEASE.exec(release.trim());
  const parsed = parseRange(range);
  if (!match || !parsed) return undefined;
  const version = toVersion(match[1], match[2]);
  return parsed.some((all) => all.every((comparator) => holds(version, comparator)));
}

/** @returns undefined when the text is not a version range */
export function parseRange(text: string): VersionRange | undefined {
  const alternatives = text.split('||').map((alternative) => {
    const words = alternative
      .replace(/([<>=!])\s+/g, '$1')
      .split(/[\s,]+/)
      .filter(Boolean);
    const comparators = words.map(parseComparator);
    return words.length > 0 && comparators.every((one) => one !== undefined) ? comparators : undefined;
  });
  return alternatives.every((one) => one !== undefined) ? alternatives : undefined;
}

/** Whether no version at all can lie in the range: `>=7.3 <7.0`. */
export function isEmptyRange(range: VersionRange): boolean {
  // a version that satisfies a conjunction exists at, or directly beside, one of the bounds that it names
  return range.every((all) =>
    all
      .flatMap(({ version }) => neighbours(version))
      .every((version) => !all.every((one) => holds(version, one))),
  );
}

/** The range of versions that lie in both. */
export function intersection(one: VersionRange, other: VersionRange): VersionRange {
  return one.flatMap((left) => other.map((right) => [...left, ...right]));
}

function parseComparator(word: string): Comparator | undefined {
  const match = COMPARATOR.exec(word);
  if (!match) return undefined;
  return { comparison: (match[1] ?? '=') as Comparison, version: toVersion(match[2], match[3]) };
}

function toVersion(numbers: string | undefined, candidate: string | undefined): Version {
  return {
    numbers: (numbers ?? '').split('.').map(Number),
    ...(candidate === undefined ? {} : { candidate: Number(candidate) }),
  };
}

function holds(version: Version, { comparison, version: bound }: Comparator): boolean {
  const order =
    bound.candidate === undefined ? compareAsWritten(version, bound) : compareExactly(version, bound);
  switch (comparison) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '>=':
      return order >= 0;
    case '>':
      return order > 0;
  }
}

function compareAsWritten(version: Version, bound: Version): number {
  for (const [index, wanted] of bound.numbers.entries()) {
    const difference = (version.numbers[index] ?? 0) - wanted;
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareExactly(version: Version, bound: Version): number {
  for (let index = 0; index < 4; index++) {
    const difference = (version.numbers[index] ?? 0) - (bound.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  const [left, right] = [version.candidate ?? Infinity, bound.candidate ?? Infinity];
  return left === right ? 0 : left - right;
}

function neighbours({ numbers, candidate }: Version): Version[] {
  const last = numbers.length - 1;
  const shifted = (by: number) => numbers.map((value, index) => (index === last ? value + by : value));
  const around = [-1, 0, 1].map((by): Version => ({ numbers: shifted(by) }));
  const below: Version[] = [
    { numbers: [0] },
    { numbers: [...numbers, 1] },
    { numbers: [Number.MAX_SAFE_INTEGER] },
  ];
  const candidates =
    candidate === undefined ? [] : [-1, 0, 1].map((by) => ({ numbers, candidate: candidate + by }));
  return [...around, ...below, ...candidates];
}
