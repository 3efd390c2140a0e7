import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent, StepTrace } from '../trace/trace.js';
import type { PlannedCase } from './planned-case.js';

/** In the folder of a case that has not ended: what happened so far, one JSON document a line. */
export const EVENTS_FILE = 'events.jsonl';

export interface CaseEvents {
  readonly emit: (event: RunEvent) => void;
  /** the trace, which has all of it, is on disk */
  close(): void;
}

/** Writes each event of a case to disk as it happens, so that whoever is killed leaves what it knew, and then tells it. */
export function recordedEvents(
  runDir: string,
  { artifacts }: Pick<PlannedCase, 'artifacts'>,
  tell: (event: RunEvent) => void,
): CaseEvents {
  const path = join(runDir, artifacts, EVENTS_FILE);
  const file = openSync(path, 'a');
  return {
    emit: (event) => {
      writeSync(file, `${JSON.stringify(event)}\n`);
      tell(event);
    },
    close: () => {
      closeSync(file);
      rmSync(path);
    },
  };
}

/** The steps that had ended when a case was cut short, in their order, with the lines of the one that had not. */
export function stepsSoFar(
  runDir: string,
  { artifacts }: Pick<PlannedCase, 'artifacts'>,
): readonly StepTrace[] {
  return foldSteps(eventsIn(join(runDir, artifacts, EVENTS_FILE)));
}

export function foldSteps(events: readonly RunEvent[]): readonly StepTrace[] {
  const steps = new Map<string, StepTrace>();
  for (const event of events) {
    if (event.type === 'case-started') steps.clear();
    if (event.type === 'step-started') {
      steps.set(event.step.id, {
        ...event.step,
        startedAt: event.at,
        milliseconds: 0,
        outcome: 'skipped',
        lines: [],
        changes: [],
        log: '',
        splats: [],
        qmp: [],
      });
    }
    if (event.type === 'step-ended') steps.set(event.step.id, event.step);
    if (event.type === 'line') {
      const step = steps.get(event.step);
      if (step)
        steps.set(event.step, {
          ...step,
          lines: [...step.lines, event.line],
          milliseconds: event.at - step.startedAt,
        });
    }
  }
  return [...steps.values()];
}

/** A line that was cut short by a full disk or a kill is left out. */
function eventsIn(file: string): RunEvent[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as RunEvent];
    } catch {
      return [];
    }
  });
}
