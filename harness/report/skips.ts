import type { Verdict } from '../trace/trace.js';

/** Cases that could not be asked of a kernel for the same reason. */
export interface SkippedGroup<T> {
  readonly reason: string;
  readonly cases: readonly T[];
}

/** The skipped ones of these cases by what the kernel lacks, the reason of most first. */
export function skippedByReason<T extends { readonly verdict: Verdict; readonly reason?: string }>(
  cases: readonly T[],
): SkippedGroup<T>[] {
  const groups = new Map<string, T[]>();
  for (const entry of cases) {
    if (entry.verdict !== 'skip') continue;
    const reason = entry.reason ?? 'no reason was given';
    groups.set(reason, [...(groups.get(reason) ?? []), entry]);
  }
  return [...groups]
    .map(([reason, skipped]) => ({ reason, cases: skipped }))
    .sort((a, b) => b.cases.length - a.cases.length);
}

/** `155 cases: no driver dax_region on the cxl bus` */
export function skippedLine(count: number, reason: string): string {
  return `${count} ${count === 1 ? 'case' : 'cases'}: ${reason}`;
}
