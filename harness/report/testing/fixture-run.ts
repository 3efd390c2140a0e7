import { join } from 'node:path';
import { packageRoot } from '../../base/places.js';
import { readRun, type SavedRun } from '../saved-run.js';
import type { CaseTrace } from '../../trace/trace.js';

/** A run of real guests: testing/scenarios and two of the shipped scenarios, on Debian's 7.3.4 under TCG. */
export const fixtureDir = join(packageRoot, 'harness', 'report', 'testing', 'run');

/** A run of Debian 6.12 and 7.3 beside each other: six of the traces that `cxlrig run current` left. */
export function twoKernels(): Promise<SavedRun> {
  return readRun(join(packageRoot, 'harness', 'report', 'testing', 'two-kernels'));
}

export function fixtureRun(): Promise<SavedRun> {
  return readRun(fixtureDir);
}

/** @param id a part of the case's id */
export async function fixtureCase(id: string): Promise<CaseTrace> {
  const { traces } = await fixtureRun();
  const trace = traces.find(({ case: identity }) => identity.id.includes(id));
  if (!trace) throw new Error(`the fixture has no case ${id}`);
  return trace;
}
