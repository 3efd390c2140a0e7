import { edited, type Plain } from './edits.js';
import { passes, type Reduction } from './reductions.js';

export interface ReduceOptions {
  /** which of the documents the language takes */
  readonly allowed: (documents: readonly Plain[]) => Promise<readonly boolean[]>;
  /**
   * which of the documents still show what is looked for
   * @throws Exhausted when no more may be asked
   */
  readonly holds: (documents: readonly Plain[]) => Promise<readonly boolean[]>;
  /** called with each smaller document, and with what it was made smaller by */
  readonly tell: (document: Plain, words: readonly string[]) => void;
}

/** No more documents may be tried. */
export class Exhausted extends Error {
  override readonly name = 'Exhausted';
}

/**
 * The smallest document that is found to show the same: nothing can be taken from it alone. What can be taken one by one
 * is taken together where that holds, else in halves.
 */
export async function reduce(document: Plain, { allowed, tell, ...options }: ReduceOptions): Promise<Plain> {
  let current = document;

  const known = new Map<string, boolean>();
  const holds = async (documents: readonly Plain[]): Promise<boolean[]> => {
    const texts = documents.map((one) => JSON.stringify(one));
    const unknown = documents.filter((_, index) => !known.has(texts[index] ?? ''));
    const found = unknown.length > 0 ? await options.holds(unknown) : [];
    for (const [index, one] of unknown.entries()) known.set(JSON.stringify(one), found[index] === true);
    return texts.map((text) => known.get(text) === true);
  };

  const holdsWithout = async (reductions: readonly Reduction[]): Promise<boolean> => {
    const smaller = without(current, reductions);
    const [isAllowed] = await allowed([smaller]);
    return isAllowed === true && (await holds([smaller]))[0] === true;
  };
  /** As many of the others as can be taken besides those that are. */
  const together = async (taken: Reduction[], others: readonly Reduction[]): Promise<Reduction[]> => {
    if (others.length === 0) return taken;
    if (await holdsWithout([...taken, ...others])) return [...taken, ...others];
    if (others.length === 1) return taken;
    const half = Math.ceil(others.length / 2);
    return together(await together(taken, others.slice(0, half)), others.slice(half));
  };
  const pass = async (reductionsOf: (document: Plain) => Reduction[]): Promise<boolean> => {
    const all = reductionsOf(current);
    const permitted = await allowed(all.map((one) => without(current, [one])));
    const possible = all.filter((_, index) => permitted[index]);
    if (possible.length === 0) return false;
    const held =
      possible.length > 1 && (await holdsWithout(possible))
        ? undefined
        : await holds(possible.map((one) => without(current, [one])));
    const single = possible.filter((_, index) => held === undefined || held[index]);
    const [first, ...others] = single;
    if (!first) return false;
    const taken = held === undefined ? single : await together([first], others);
    current = without(current, taken);
    tell(
      current,
      taken.map(({ words }) => words),
    );
    return true;
  };

  try {
    let again = true;
    while (again) {
      again = false;
      for (const reductionsOf of passes) again = (await pass(reductionsOf)) || again;
    }
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error;
  }
  return current;
}

function without(document: Plain, reductions: readonly Reduction[]): Plain {
  return edited(
    document,
    reductions.flatMap(({ edits }) => edits),
  );
}
