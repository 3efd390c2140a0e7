import { init, runBaseTests, setupEnvironment } from 'vitest/worker';
import type { ToWorker } from './channel.js';
import { assign, brief, lookAhead, tell } from './at-work.js';

/**
 * A process that runs cases, one after the other: vitest's worker, on a channel that it shares with the run's own
 * messages. It is started before the run knows what it is for.
 */

// vitest puts a function that throws in its place
const exit = process.exit.bind(process);

// the run is gone or has no more for this worker; the guest, which the kernel ends with its parent, must not outlive it
process.once('disconnect', () => exit(0));

const listeners = new Map<(message: never) => void, (message: ToWorker) => void>();

process.on('message', (message: ToWorker) => {
  if (message.type === 'briefing') brief(message.briefing);
  if (message.type === 'case') assign(message.planned);
  if (message.type === 'ahead') void lookAhead(message.planned);
});

init({
  post: (message: unknown) => tell({ type: 'vitest', message }),
  on: (callback: (message: never) => void) => {
    const listener = (message: ToWorker): void => {
      if (message.type === 'vitest') callback(message.message as never);
    };
    listeners.set(callback, listener);
    process.on('message', listener);
  },
  off: (callback: (message: never) => void) => {
    const listener = listeners.get(callback);
    if (listener) process.off('message', listener);
  },
  runTests: (state, traces) => runBaseTests('run', state, traces),
  collectTests: (state, traces) => runBaseTests('collect', state, traces),
  setup: setupEnvironment,
});
