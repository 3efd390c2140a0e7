import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheRoot } from '../base/places.js';
import type { CaseTrace } from '../trace/trace.js';
import type { ScenarioCase, Step } from '../scenario/index.js';

/** How long cases took, without the starts of their guests: milliseconds by case and kernel. */
export type Durations = ReadonlyMap<string, number>;

/** More are not kept: those longest unheard of go first. */
const MOST_KEPT = 20_000;

/** A step types a line or two and takes a snapshot. */
const STEP_MS = 150;

export function durationKey(caseId: string, kernel: string): string {
  return `${caseId} @${kernel}`;
}

/** What earlier runs of this user took; nothing when the cache has none that can be read. */
export async function readDurations(root: string = cacheRoot()): Promise<Durations> {
  try {
    const entries: unknown = JSON.parse(await readFile(fileIn(root), 'utf8'));
    if (!Array.isArray(entries)) return new Map();
    return new Map(entries.filter(isEntry));
  } catch {
    return new Map();
  }
}

/** Adds what a run took. A cache that can't be written does without. */
export async function keepDurations(taken: Durations, root: string = cacheRoot()): Promise<void> {
  if (taken.size === 0) return;
  const file = fileIn(root);
  const draft = `${file}.draft-${randomBytes(4).toString('hex')}`;
  try {
    const others = [...(await readDurations(root))].filter(([key]) => !taken.has(key));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(draft, JSON.stringify([...others, ...taken].slice(-MOST_KEPT)));
    await rename(draft, file);
  } catch {
    // they order and estimate, nothing else
  }
}

/** How long the case itself took: what the start of a guest cost is not its own. */
export function durationOf({ milliseconds, guest }: Pick<CaseTrace, 'milliseconds' | 'guest'>): number {
  const start = guest && !guest.reused ? guest.bootMilliseconds : 0;
  return Math.max(0, milliseconds - start);
}

/** By the number of steps that will be taken. It depends on the scenario alone, so that all shards agree. */
export function estimateMs({ steps, cleanup }: Pick<ScenarioCase, 'steps' | 'cleanup'>): number {
  return STEP_MS * (1 + countSteps([...steps, ...cleanup]));
}

function countSteps(steps: readonly Step[]): number {
  return steps.reduce((sum, { document, branches }) => {
    const times = Number(document.repeat?.times ?? 1);
    const inner = branches.reduce((most, branch) => most + countSteps(branch), 0);
    return sum + 1 + (Number.isFinite(times) ? times : 1) * inner;
  }, 0);
}

function fileIn(root: string): string {
  return join(root, 'durations', 'cases.json');
}

function isEntry(entry: unknown): entry is [string, number] {
  return (
    Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number' && entry[1] >= 0
  );
}
