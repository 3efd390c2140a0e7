import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TRACE_VERSION, type CaseTrace, type RunEvent, type Verdict } from '../trace/trace.js';
import { stepsSoFar } from './case-events.js';
import { durationKey, durationOf } from './durations.js';
import type { PlannedCase } from './planned-case.js';

/** An event of the run and the case it belongs to. */
export interface CaseEvent {
  readonly planned: PlannedCase;
  readonly event: RunEvent;
}

/** What the run remembers of a case that has ended; all else is in its trace on disk. */
export interface CaseResult {
  readonly planned: PlannedCase;
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly milliseconds: number;
  readonly guest?: NonNullable<CaseTrace['guest']>;
  /** without the start of its guest; absent where nothing was asked */
  readonly durationMs?: number;
  /** its trace, where there is none on disk that can be read */
  readonly lost?: CaseTrace;
  /** of a case that was run several times */
  readonly rate?: { readonly failed: number; readonly runs: number };
}

/** Keeps account of the planned cases: each of them ends once, with a trace on disk or with the reason why it has none. */
export interface Ledger {
  event(planned: PlannedCase, event: RunEvent): void;
  /** @param silence why it has no trace, if it has none */
  ended(planned: PlannedCase, silence: string): CaseResult;
  /** nobody is to hear of the case any more: it was not run, and need not be */
  forget(planned: PlannedCase): void;
  /** how many have ended */
  done(): number;
  /** of all planned cases but the forgotten, in planned order; those that have not ended end now */
  results(silence: string): CaseResult[];
}

export function openLedger(
  runDir: string,
  cases: readonly PlannedCase[],
  subscriber: (event: CaseEvent) => void,
): Ledger {
  const results = new Map<string, CaseResult>();
  const forgotten = new Set<PlannedCase>();
  const ended = (planned: PlannedCase, silence: string): CaseResult => {
    const known = results.get(planned.key);
    if (known) return known;
    const kept = readTrace(runDir, planned);
    const trace = kept ?? traceOfSilence(runDir, planned, silence);
    const result: CaseResult = {
      planned,
      verdict: trace.verdict,
      ...(trace.reason !== undefined && { reason: trace.reason }),
      milliseconds: trace.milliseconds,
      ...(trace.guest && { guest: trace.guest }),
      ...(kept && kept.verdict !== 'infra' && { durationMs: durationOf(kept) }),
      ...(!kept && { lost: trace }),
    };
    results.set(planned.key, result);
    subscriber({ planned, event: { type: 'case-ended', at: Date.now(), trace } });
    return result;
  };
  return {
    event: (planned, event) => subscriber({ planned, event }),
    ended,
    forget: (planned) => void forgotten.add(planned),
    done: () => results.size,
    results: (silence) =>
      cases.filter((planned) => !forgotten.has(planned)).map((planned) => ended(planned, silence)),
  };
}

/** The traces of cases that have ended, one after the other. */
export function* tracesOf(runDir: string, results: readonly CaseResult[]): Generator<CaseTrace> {
  for (const { planned, lost } of results) {
    const trace = lost ?? readTrace(runDir, planned);
    if (trace) yield trace;
  }
}

/** What the cases took, to be kept for runs to come. */
export function durationsOf(results: readonly CaseResult[]): Map<string, number> {
  return new Map(
    results.flatMap(({ planned: { caseId, kernel }, durationMs }) =>
      durationMs === undefined ? [] : [[durationKey(caseId, kernel), durationMs] as const],
    ),
  );
}

function readTrace(runDir: string, { artifacts }: PlannedCase): CaseTrace | undefined {
  try {
    return JSON.parse(readFileSync(join(runDir, artifacts, 'trace.json'), 'utf8')) as CaseTrace;
  } catch {
    return undefined;
  }
}

/** For a case that did not come to its end: what is known of it until then. */
function traceOfSilence(runDir: string, planned: PlannedCase, reason: string): CaseTrace {
  const steps = stepsSoFar(runDir, planned);
  const [first, last] = [steps[0], steps.at(-1)];
  const startedAt = first?.startedAt ?? Date.now();
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
    startedAt,
    milliseconds: first && last ? Math.max(0, last.startedAt + last.milliseconds - first.startedAt) : 0,
    machine: planned.machine,
    steps,
    leftovers: [],
    splats: [],
    artifacts: planned.artifacts,
  };
}
