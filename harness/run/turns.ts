import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { confidence } from '../base/confidence.js';
import { isBad } from '../report/results.js';
import type { CaseTrace } from '../trace/trace.js';
import type { CaseResult } from './ledger.js';

/**
 * Makes one result of the turns of each case: failed when one failed, with the rate, and the trace of the first that
 * did. The turn whose trace stands for all is written into the case's folder; turns without a trace of their own have
 * passed.
 * @param results of all turns that were run, in planned order
 */
export function foldTurns(runDir: string, results: readonly CaseResult[]): CaseResult[] {
  const cases = new Map<string, CaseResult[]>();
  for (const result of results) {
    const key = result.planned.turn?.of.key ?? result.planned.key;
    cases.set(key, [...(cases.get(key) ?? []), result]);
  }
  return [...cases.values()].flatMap((turns) => foldCase(runDir, turns) ?? []);
}

function foldCase(runDir: string, turns: readonly CaseResult[]): CaseResult | undefined {
  const bad = turns.filter(({ verdict }) => isBad(verdict));
  const shown = bad.find(({ verdict }) => verdict === 'fail') ?? bad[0] ?? turns[0];
  const { turn } = shown?.planned ?? {};
  if (!shown || !turn) return shown;
  const planned = { ...shown.planned, ...turn.of };
  const rate = { failed: bad.length, runs: turns.length };
  const reason = bad.length === 0 ? shown.reason : `${rateText(rate)}: ${shown.reason ?? shown.verdict}`;
  const own = shown.lost ?? readTrace(join(runDir, shown.planned.artifacts));
  const trace: CaseTrace = {
    ...own,
    case: { ...own.case, id: turn.of.key },
    ...(reason !== undefined && { reason }),
    attempts: turns.map((one) => ({
      verdict: one.verdict,
      ...(one.reason !== undefined && { reason: one.reason }),
      casesBefore: one.guest?.casesBefore ?? 0,
      milliseconds: one.milliseconds,
      artifacts: one.planned.artifacts,
    })),
  };
  writeFileSync(join(runDir, turn.of.artifacts, 'trace.json'), JSON.stringify(trace));
  return { ...shown, planned, ...(reason !== undefined && { reason }), rate };
}

/** What a turn that passed leaves is of no interest once another has passed. */
export function forgetTurn(runDir: string, { planned, verdict }: CaseResult): void {
  if (!planned.turn || planned.turn.number === 1 || isBad(verdict)) return;
  rmSync(join(runDir, planned.artifacts), { recursive: true, force: true });
}

/** `failed in 3 of 20 runs (15 %; with 95 % confidence between 5 and 36 %)` */
export function rateText({ failed, runs }: { readonly failed: number; readonly runs: number }): string {
  const [low, high] = confidence(failed, runs);
  const percent = (share: number): string => `${Number((100 * share).toPrecision(2))}`;
  const range =
    failed === 0
      ? `with 95 % confidence below ${percent(high)} %`
      : `${percent(failed / runs)} %; with 95 % confidence between ${percent(low)} and ${percent(high)} %`;
  return `failed in ${failed} of ${runs} runs (${range})`;
}

function readTrace(dir: string): CaseTrace {
  return JSON.parse(readFileSync(join(dir, 'trace.json'), 'utf8')) as CaseTrace;
}
