import type { CaseTrace, RunSummary, Verdict } from '../../trace/trace.js';

/**
 * What report.html holds: an index that is read at once, and a part for each case that is unpacked when the case is
 * opened. The page's own code knows the run through these types alone.
 */
export interface PageIndex {
  readonly summary: RunSummary;
  readonly cases: readonly CaseEntry[];
}

/** A case as the overview shows it. */
export interface CaseEntry {
  /** unique in the page, the same in every report of the same cases: what links name */
  readonly key: string;
  /** the case's id without its kernel: equal for the same case on two kernels */
  readonly name: string;
  readonly title: string;
  readonly kernel: string;
  readonly topology: string;
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly steps: number;
  readonly milliseconds: number;
}

/** Everything about a case. */
export interface CaseContent {
  readonly trace: CaseTrace;
  /** text of the scenario's file, when it is still the one that ran */
  readonly source?: string;
  /** the last lines of the console, where the trace alone may not tell the cause */
  readonly consoleTail?: string;
  /** repro.sh, as in the case's folder */
  readonly repro?: string;
  /** names of the files that the case left in its folder */
  readonly artifacts: readonly string[];
}

/** Ids of the page's data blocks. */
export const INDEX_ELEMENT = 'cxlrig-index';
export const caseElement = (index: number): string => `cxlrig-case-${index}`;
