import type { Step } from '../case.js';
import { onThisKernel, type StepSession } from './context.js';
import { plainEventName, tracing } from './trace-events.js';

/** Trace events that the expectations of steps speak about, at any depth. */
export function expectedEvents(steps: readonly Step[]): string[] {
  const names = steps.flatMap(({ document, branches }) => [
    ...[document.expect?.trace ?? []].flat().map(({ event }) => plainEventName(event)),
    ...branches.flatMap(expectedEvents),
  ]);
  return [...new Set(names)];
}

/** Lines that begin the recording of events, with an empty buffer. */
export function startTracingLines(events: readonly string[]): string[] {
  return [`echo > ${tracing}/trace`, ...events.map((event) => `echo ${event} >> ${tracing}/set_event`)];
}

/** Ends what the steps of a case have set going for themselves in the guest. */
export async function closeSteps({ context, tracedEvents, broken }: StepSession): Promise<void> {
  if (tracedEvents.length === 0 || broken) return;
  const lines = tracedEvents.map((event) => `echo '!${event}' >> ${tracing}/set_event`);
  await context.guest.type(lines.join('\n'), { timeoutMs: onThisKernel(context, 10_000) });
}
