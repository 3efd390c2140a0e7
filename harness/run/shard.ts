import { startMs, type Scheduled } from './schedule.js';

/** The index-th (from 1) of count parts. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * A part of the cases, of about the same length as the others: all cases are laid in a line, those of the same machine
 * next to one another and the kernels of a case side by side, and the line is cut in equal pieces. So no more groups are
 * in two parts than there are cuts. Those that the kernel may lack something for take no time then, and nobody knows before
 * which: they are a line of their own. What a case takes must be the same for all who reckon the parts: no case would else
 * be sure to be in exactly one.
 */
export function shardOf<T extends Scheduled & { readonly caseId: string }>(
  cases: readonly T[],
  shard: Shard,
): T[] {
  const chosen = new Set(
    [true, false].flatMap((maySkip) =>
      partOf(
        cases.filter((one) => one.maySkip === maySkip),
        shard,
      ),
    ),
  );
  return cases.filter((one) => chosen.has(one));
}

function partOf<T extends Scheduled & { readonly caseId: string }>(
  cases: readonly T[],
  { index, count }: Shard,
): T[] {
  const line = inLine(cases);
  const lengths = line.map(([first, ...rest], n) => {
    const isNew = first.isOwn || line[n - 1]?.[0].machineKey !== first.machineKey;
    const starts = isNew ? startMs(first) * (1 + rest.length) : 0;
    return starts + [first, ...rest].reduce((sum, { expectedMs }) => sum + expectedMs, 0);
  });
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const chosen: T[] = [];
  let begin = 0;
  for (const [n, unit] of line.entries()) {
    const length = lengths[n] ?? 0;
    const middle = begin + length / 2;
    if (Math.min(count, Math.floor((middle / total) * count) + 1) === index) chosen.push(...unit);
    begin += length;
  }
  return chosen;
}

type Unit<T> = [first: T, ...rest: T[]];

/** The cases, each with all of its kernels, by machine; then those with guests of their own. */
function inLine<T extends Scheduled & { readonly caseId: string }>(cases: readonly T[]): Unit<T>[] {
  const units = new Map<string, Unit<T>>();
  for (const one of cases) {
    const unit = units.get(one.caseId);
    if (unit) unit.push(one);
    else units.set(one.caseId, [one]);
  }
  const place = ([{ isOwn, machineKey, coldReason }]: Unit<T>): string =>
    `${isOwn ? 1 : 0} ${coldReason === undefined ? 0 : 1} ${machineKey}`;
  return [...units.values()].sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0));
}
