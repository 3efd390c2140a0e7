import type { CaseTrace, GuestCounts, RunSummary, Verdict } from '../trace/trace.js';

const VERDICTS: readonly Verdict[] = ['pass', 'fail', 'skip', 'known-bug', 'fixed', 'infra'];

/** What somebody must look at: a failure, a declared bug that is gone, a question that could not be asked. */
export function isBad(verdict: Verdict): boolean {
  return verdict === 'fail' || verdict === 'fixed' || verdict === 'infra';
}

export function countVerdicts(traces: readonly Pick<CaseTrace, 'verdict'>[]): Record<Verdict, number> {
  return Object.fromEntries(
    VERDICTS.map((verdict) => [verdict, traces.filter((trace) => trace.verdict === verdict).length]),
  ) as Record<Verdict, number>;
}

/** Each guest counts once, however many cases it served. */
export function countGuests(
  traces: readonly { readonly guest?: CaseTrace['guest'] | undefined }[],
): GuestCounts {
  const fresh = traces.flatMap(({ guest }) => (guest && !guest.reused ? guest : []));
  const resumed = fresh.filter(({ boot }) => boot === 'resumed').length;
  const fellBack = fresh.filter((guest) => guest.fellBack).length;
  const stalls = fresh.reduce((sum, guest) => sum + (guest.stalls?.length ?? 0), 0);
  return { resumed, booted: fresh.length - resumed, fellBack, stalls };
}

/** results.json: one entry a case, without the steps: those are in the case's trace.json. */
export function results(summary: RunSummary, traces: readonly CaseTrace[]): string {
  const cases = traces.map((trace) => ({
    id: trace.case.id,
    kernel: trace.case.kernel,
    topology: trace.case.topology,
    verdict: trace.verdict,
    reason: trace.reason,
    failure: trace.failure,
    splats: trace.splats.map(({ title, fingerprint, allowed }) => ({ title, fingerprint, allowed })),
    milliseconds: trace.milliseconds,
    file: trace.case.position.file,
    line: trace.case.position.line,
    artifacts: trace.artifacts,
    attempts: trace.attempts,
  }));
  return `${JSON.stringify({ version: summary.version, exitCode: summary.exitCode, counts: summary.counts, cases }, null, 2)}\n`;
}
