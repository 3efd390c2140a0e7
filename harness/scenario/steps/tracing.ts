import type { StepFailure } from '../../trace/trace.js';
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

/**
 * Why the recording did not begin when the scenario speaks of an event that this kernel does not have; told at its place.
 * A kernel that should have it is for `requires` to ask for.
 */
export function unknownEvent(steps: readonly Step[], { message }: StepFailure): StepFailure | undefined {
  const [, name] = /no trace event (\w+)/.exec(message) ?? [];
  const place = name === undefined ? undefined : placeOf(name, steps);
  if (!place || name === undefined) return undefined;
  return {
    message: `this kernel has no trace event ${name} (a scenario for kernels that have it requires attribute: ${tracing}/events/*/${name})`,
    position: place,
    expected: name,
    received: 'no such event',
    subject: `${tracing}/events`,
    blame: 'scenario',
  };
}

function placeOf(name: string, steps: readonly Step[]): Step['position'] | undefined {
  for (const step of steps) {
    const { trace } = step.document.expect ?? {};
    const index = [trace ?? []].flat().findIndex(({ event }) => plainEventName(event) === name);
    if (index >= 0) return step.at('expect', 'trace', ...(Array.isArray(trace) ? [index] : []), 'event');
    const inner = placeOf(name, step.branches.flat());
    if (inner) return inner;
  }
  return undefined;
}

/** Lines that begin the recording of events, with an empty buffer. */
export function startTracingLines(events: readonly string[]): string[] {
  return [
    `echo > ${tracing}/trace`,
    ...events.map(
      (event) =>
        `{ echo ${event} >> ${tracing}/set_event || { echo no trace event ${event} >&2; exit 1; }; }`,
    ),
  ];
}

/** Ends what the steps of a case have set going for themselves in the guest. */
export async function closeSteps({ context, tracedEvents, broken }: StepSession): Promise<void> {
  if (tracedEvents.length === 0 || broken) return;
  const lines = tracedEvents.map((event) => `echo '!${event}' >> ${tracing}/set_event`);
  await context.guest.type(lines.join('\n'), { timeoutMs: onThisKernel(context, 10_000) });
}
