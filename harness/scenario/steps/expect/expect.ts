import type { z } from 'zod';
import { diffStates } from '../../../abi/index.js';
import { parseDuration } from '../../language/duration.js';
import type { Miss } from '../../clauses/definition.js';
import type { expectBody } from '../../language/expectations.js';
import { DEFAULT_WITHIN_MS, onThisKernel, POLL_FIRST_MS, POLL_MOST_MS } from '../context.js';
import { Unmet } from '../outcome.js';
import { sleep, type StepScope } from '../scope.js';
import { missesOf } from './misses.js';
import { worldOf } from './world.js';

type Body = z.output<typeof expectBody>;

/**
 * Waits until everything holds, at most `within`; then watches that it stays so for `stays-for`. Each look is one
 * snapshot, the first one that which the step before ended with; what clauses speak about and no snapshot holds is
 * read with a second line.
 */
export async function expect(body: Body, scope: StepScope): Promise<void> {
  const within = onThisKernel(scope.session.context, parseDuration(body.within ?? '') ?? DEFAULT_WITHIN_MS);
  const watch = startWatch();
  const holds = await lookAgain(
    body,
    scope,
    watch,
    performance.now() + within,
    (misses) => misses.length === 0,
  );
  if (holds.length > 0) throw unmet(holds, `waited ${seconds(within)}`, watch);
  const staying = parseDuration(body['stays-for'] ?? '');
  if (staying === undefined) return;
  const started = performance.now();
  const broken = await lookAgain(body, scope, watch, started + staying, (misses) => misses.length > 0);
  if (broken.length > 0) {
    throw unmet(broken, `held, and stopped holding after ${seconds(performance.now() - started)}`, watch, [
      'stays-for',
    ]);
  }
}

interface Watch {
  looks: number;
  /** what changed while waiting, newest last */
  readonly changed: string[];
}

function startWatch(): Watch {
  return { looks: 0, changed: [] };
}

/** Looks until it is as wanted or the time is over; what does not hold at the last look. */
async function lookAgain(
  body: Body,
  scope: StepScope,
  watch: Watch,
  until: number,
  isWanted: (misses: readonly Miss[]) => boolean,
): Promise<Miss[]> {
  for (let pause = POLL_FIRST_MS; ; pause = Math.min(pause * 1.5, POLL_MOST_MS)) {
    const before = scope.state();
    const state = await (watch.looks === 0 ? scope.current() : scope.look());
    watch.looks += 1;
    watch.changed.push(...diffStates(before, state).map(({ path }) => path));
    const misses = missesOf(body, await worldOf(body, scope, state), scope.session);
    if (isWanted(misses) || performance.now() + pause > Math.min(until, scope.outerDeadline)) return misses;
    await sleep(pause);
  }
}

function unmet(misses: readonly Miss[], when: string, watch: Watch, path?: readonly string[]): Unmet {
  const [first, ...others] = misses;
  if (!first) throw new Error('an expectation failed without a reason');
  const more =
    others.length === 0
      ? ''
      : `; and ${others.length} more: ${others.map((miss) => miss.message).join(', ')}`;
  const recent = [...new Set(watch.changed.slice(-200))].slice(-6);
  const meanwhile =
    recent.length === 0 ? 'nothing changed meanwhile' : `meanwhile changed: ${recent.join(', ')}`;
  return new Unmet({
    ...first,
    path: path ?? first.path,
    message: `${first.message} (${when}, ${watch.looks} looks; ${meanwhile})${more}`,
  });
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
