import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SerializedError } from 'vitest';
import type { Reporter, TestCase } from 'vitest/node';
import { TRACE_VERSION, type CaseTrace, type RunEvent } from '../report/trace.js';
import { EVENT_ANNOTATION } from './briefing.js';
import type { PlannedCase } from './plan.js';

/** An event of the run and the case it belongs to. */
export interface CaseEvent {
  readonly planned: PlannedCase;
  readonly event: RunEvent;
}

export interface EventStream {
  readonly reporter: Reporter;
  /** the trace of every planned case, in planned order; cases that never reported are infra */
  traces(reasonForSilence: string): CaseTrace[];
}

/**
 * Turns what vitest reports into our one stream of events. A case's trace is read from disk when its test has ended:
 * the worker wrote it there, so that it survives whatever happens to this process.
 */
export function eventStream(
  runDir: string,
  cases: readonly PlannedCase[],
  subscriber: (event: CaseEvent) => void,
  signal: AbortSignal,
): EventStream {
  const byKey = new Map(cases.map((planned) => [planned.key, planned]));
  const ended = new Map<string, CaseTrace>();
  const unhandled: string[] = [];

  const finish = (planned: PlannedCase, trace: CaseTrace): void => {
    ended.set(planned.key, trace);
    subscriber({ planned, event: { type: 'case-ended', at: Date.now(), trace } });
  };

  const reporter: Reporter = {
    onTestCaseAnnotate(testCase, annotation) {
      const planned = byKey.get(testCase.name);
      if (!planned || annotation.type !== EVENT_ANNOTATION) return;
      subscriber({ planned, event: JSON.parse(annotation.message) as RunEvent });
    },
    onTestCaseResult(testCase) {
      const planned = byKey.get(testCase.name);
      if (!planned) return;
      finish(
        planned,
        readTrace(runDir, planned) ??
          infraTrace(planned, signal.aborted ? 'interrupted' : silenceOf(testCase)),
      );
    },
    onTestRunEnd(_modules, errors) {
      unhandled.push(...errors.map(describe));
    },
  };

  return {
    reporter,
    traces(reasonForSilence) {
      const why = unhandled[0] ?? reasonForSilence;
      for (const planned of cases) {
        if (!ended.has(planned.key)) finish(planned, readTrace(runDir, planned) ?? infraTrace(planned, why));
      }
      return cases.flatMap(({ key }) => ended.get(key) ?? []);
    },
  };
}

function readTrace(runDir: string, planned: PlannedCase): CaseTrace | undefined {
  try {
    return JSON.parse(readFileSync(join(runDir, planned.artifacts, 'trace.json'), 'utf8')) as CaseTrace;
  } catch {
    return undefined;
  }
}

function silenceOf(testCase: TestCase): string {
  const message = testCase.result().errors?.[0]?.message;
  return message ? `the rig failed: ${message}` : 'the case ended without a trace';
}

function describe(error: SerializedError): string {
  return error.message || error.name || 'an error without a message';
}

function infraTrace(planned: PlannedCase, reason: string): CaseTrace {
  return {
    version: TRACE_VERSION,
    case: {
      id: planned.key,
      scenario: planned.caseId,
      description: '',
      references: [],
      position: { file: planned.file, line: 1, column: 1 },
      values: {},
      topology: planned.machine.name,
      kernel: planned.kernel,
    },
    verdict: 'infra',
    reason,
    startedAt: Date.now(),
    milliseconds: 0,
    machine: planned.machine,
    steps: [],
    leftovers: [],
    splats: [],
    artifacts: planned.artifacts,
  };
}
