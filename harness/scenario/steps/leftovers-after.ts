import { leftoversAcrossKexec, leftoversOf, type StateChange } from '../../abi/index.js';
import { onThisKernel, POLL_FIRST_MS, POLL_MOST_MS, type StepSession } from './context.js';
import { sleep } from './scope.js';
import { look } from './session.js';

/** Teardown is asynchronous in places; what is still there after this long stays. */
const SETTLE_MS = 3_000;

/**
 * What the case has left behind, after the kernel had time to finish: differences between the state before the first
 * step and now. Empty: no trace.
 * @throws GuestTimeout, GuestDied
 */
export async function leftoversAfter(
  session: StepSession,
  withinMs: number = onThisKernel(session.context, SETTLE_MS),
): Promise<StateChange[]> {
  const compare = session.isKexeced ? leftoversAcrossKexec : leftoversOf;
  const until = performance.now() + withinMs;
  for (let pause = POLL_FIRST_MS; ; pause = Math.min(pause * 1.5, POLL_MOST_MS)) {
    const state = session.isFresh ? session.state : await look(session);
    const leftovers = compare(session.context.initialState, state);
    if (leftovers.length === 0 || performance.now() >= until) return leftovers;
    await sleep(pause);
    session.isFresh = false;
  }
}
