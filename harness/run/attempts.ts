import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failedStep } from '../report/failed-step.js';
import type { CaseTrace } from '../trace/trace.js';
import { runCase, type CaseRun } from './case.js';
import { evidenceIn } from './evidence.js';

/**
 * Runs a case, and again where one attempt is not the whole truth: a case that fails in a guest which has served others
 * may owe that to them, so it gets a fresh one; and a failed case is tried as often as the user wants (`--retry`), always
 * to the end, so that a rate can be told. No attempt is forgotten: see judgeAttempts.
 */
export async function runAttempts(run: Omit<CaseRun, 'attempt'>): Promise<CaseTrace> {
  const trace = await runTillJudged(run);
  return wantsEvidence(trace, run) ? withEvidence(trace, run) : trace;
}

async function runTillJudged(run: Omit<CaseRun, 'attempt'>): Promise<CaseTrace> {
  const { briefing, planned } = run;
  const first = await runCase({ ...run, attempt: 0 });
  if (!isBad(first) || briefing.keepOnFailure || briefing.gdb) return first;
  const more = briefing.retries + (casesBefore(first) > 0 ? 1 : 0);
  if (more === 0) return first;
  const traces = [first];
  for (let attempt = 1; attempt <= more; attempt++) {
    const artifacts = `${planned.artifacts}/again-${attempt}`;
    traces.push(await runCase({ ...run, planned: { ...planned, artifacts }, attempt }));
  }
  const trace = judgeAttempts(traces);
  await keep(trace, run);
  return trace;
}

function keep(trace: CaseTrace, { briefing, planned }: Omit<CaseRun, 'attempt'>): Promise<void> {
  return writeFile(join(briefing.runDir, planned.artifacts, 'trace.json'), JSON.stringify(trace));
}

/** Where much fails, more of the same tells no more: so many cases of a worker are looked into. */
const MOST_EVIDENCE = 10;
let evidenceTaken = 0;

function wantsEvidence(trace: CaseTrace, { briefing, planned }: Omit<CaseRun, 'attempt'>): boolean {
  return (
    briefing.evidence &&
    !briefing.keepOnFailure &&
    !briefing.gdb &&
    trace.verdict === 'fail' &&
    answered(trace) &&
    planned.turn === undefined &&
    evidenceTaken < MOST_EVIDENCE
  );
}

/** A guest that died or was stuck in the step that failed would tell no more the next time. */
function answered(trace: CaseTrace): boolean {
  const last = failedStep(trace)?.lines.at(-1);
  return trace.guest !== undefined && (last === undefined || last.code !== undefined);
}

/** Runs the failed case once more to see why it fails; whatever comes of that, the verdict stands. */
async function withEvidence(trace: CaseTrace, run: Omit<CaseRun, 'attempt'>): Promise<CaseTrace> {
  evidenceTaken += 1;
  const artifacts = `${run.planned.artifacts}/evidence`;
  const planned = { ...run.planned, artifacts };
  const again = await runCase({ ...run, planned, attempt: 1, forEvidence: true, emit: () => undefined });
  const told = { ...trace, evidence: evidenceIn(again, trace) };
  await keep(told, run);
  return told;
}

/**
 * The trace that stands for several attempts at one case, the first of which was bad: that of a bad one, in a fresh guest
 * if there is one, as it owes nothing to other cases. An attempt that passed changes no verdict, but says what kind of
 * failure it is: one that depends on what ran before, or a flaky one, with its rate.
 */
export function judgeAttempts(traces: readonly CaseTrace[]): CaseTrace {
  const bad = traces.filter(isBad);
  const failed = bad.filter(({ verdict }) => verdict === 'fail');
  const shown = failed.find((trace) => casesBefore(trace) === 0) ?? failed[0] ?? bad[0];
  if (!shown) throw new Error('none of the attempts was bad');
  const kind = kindOfFailure(traces, bad.length);
  return {
    ...shown,
    ...(kind !== undefined && { reason: `${kind}: ${shown.reason ?? shown.verdict}` }),
    attempts: traces.map((trace) => ({
      verdict: trace.verdict,
      ...(trace.reason !== undefined && { reason: trace.reason }),
      casesBefore: casesBefore(trace),
      milliseconds: trace.milliseconds,
      artifacts: trace.artifacts,
    })),
  };
}

function kindOfFailure(traces: readonly CaseTrace[], bad: number): string | undefined {
  if (bad === traces.length) return undefined;
  const before = traces[0] ? casesBefore(traces[0]) : 0;
  if (bad === 1 && before > 0)
    return `depends on what ran before (failed in a guest that had served ${before} cases, passed in ${traces.length - 1} fresh; \`boot: fresh\` gives a case one of its own)`;
  return `flaky (failed in ${bad} of ${traces.length} attempts)`;
}

/** How many cases its guest had served. */
function casesBefore({ guest }: CaseTrace): number {
  return guest?.casesBefore ?? 0;
}

function isBad({ verdict }: CaseTrace): boolean {
  return verdict === 'fail' || verdict === 'infra';
}
