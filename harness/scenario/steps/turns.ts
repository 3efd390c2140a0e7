import { randomInt } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { parseDuration } from '../language/duration.js';
import { MOST_TURNS, type Loop } from '../language/language.js';
import { sleep, type StepScope } from './scope.js';
import { toCount } from './values.js';

/** The turns of a `parallel` step. */
export interface Turns {
  /** as it is carried out, its seed with it; undefined: one turn, which has no number */
  readonly loop?: Loop;
  /** @param turn from 1 */
  goesOn(turn: number): boolean;
  /** until a branch begins; asked for in the order of the branches, turn by turn */
  wait(): Promise<void>;
  /** what failed, with the turn in which it did and how to have the same again */
  told(message: string, turn: number): string;
}

const LARGEST_SEED = 2 ** 32 - 1;

export function turnsOf(document: Loop | undefined, scope: Pick<StepScope, 'resolve' | 'session'>): Turns {
  if (!document) {
    return { goesOn: (turn) => turn === 1, wait: () => Promise.resolve(), told: (message) => message };
  }
  const { times, for: time, jitter, seed } = scope.resolve(document);
  const most = times === undefined ? MOST_TURNS : toCount(times, ['times']);
  const slowness = scope.session.context.slowness ?? 1;
  const until = performance.now() + (parseDuration(time ?? '') ?? Infinity);
  const jitterMs = (parseDuration(jitter ?? '') ?? 0) * slowness;
  const drawn =
    jitterMs === 0 ? undefined : seed === undefined ? randomInt(LARGEST_SEED) : toCount(seed, ['seed']);
  const generator = xoroshiro128plus(drawn ?? 0);
  return {
    loop: { ...document, ...(drawn !== undefined && { seed: drawn }) },
    goesOn: (turn) => turn <= most && performance.now() < until,
    wait: () => sleep(jitterMs === 0 ? 0 : uniformInt(generator, 0, Math.round(jitterMs))),
    told: (message, turn) =>
      `${message} (turn ${turn}${drawn === undefined ? '' : `; \`seed: ${drawn}\` begins the branches in this order again`})`,
  };
}
