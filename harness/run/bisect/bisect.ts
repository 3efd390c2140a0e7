import { RigError, UsageError } from '../../base/errors.js';
import { stopwatch } from '../../base/stopwatch.js';
import { requireToolsFor, type Profile, type TreeKind } from '../../kernel/index.js';
import type { CaseTrace } from '../../trace/trace.js';
import { run, type CaseEvent, type RunOutcome, type RunRequest } from '../index.js';
import { makePlan } from '../plan.js';
import { KernelUnfit } from '../prepare.js';
import { openSearch, type Commit, type Mark, type Search, type SearchState } from './search.js';

/** What a user asks a bisection for. */
export interface BisectRequest {
  /** a kernel or ndctl tree with its repository; nothing is written there */
  readonly tree: string;
  /** which of the two it is */
  readonly kind: TreeKind;
  readonly good: string;
  readonly bad: string;
  readonly firstParent: boolean;
  /** the kernel, and the tools, that a commit stands for */
  readonly kernelAt: (revision: string) => Promise<Profile>;
  /** what decides: a commit is bad when a case fails on it */
  readonly run: Omit<RunRequest, 'kernels'>;
}

/** A commit that was tested, and what came of it. */
export interface BisectStep {
  readonly commit: Commit;
  readonly mark: Mark;
  /** the first failing case and why, or why nothing could be said; absent for a good one */
  readonly why?: string;
  readonly milliseconds: number;
  /** absent where no guest was booted */
  readonly runDir?: string;
}

export type BisectEvent =
  /** @param left what git says of the rest; absent for the two ends */
  | { readonly type: 'testing'; readonly commit: Commit; readonly left?: string }
  | { readonly type: 'case'; readonly event: CaseEvent }
  | { readonly type: 'tested'; readonly step: BisectStep };

export interface BisectResult {
  /** the first bad commit, and the case that fails on it */
  readonly culprit?: { readonly commit: Commit; readonly step: BisectStep; readonly trace?: CaseTrace };
  /** where it was not found: the commits that it is one of, for they could not be tested */
  readonly suspects: readonly Commit[];
  /** in the order of the tests; the good and the bad end come first */
  readonly steps: readonly BisectStep[];
}

/**
 * Finds the commit that broke a scenario: `git bisect` searches, a run on each commit answers. Both ends are tried
 * first, so that nobody waits an hour for an answer to a wrong question.
 *
 * @throws UsageError when the good end fails, the bad one passes, or neither can be tested
 * @throws RigError('host') when this machine is not fit to test anything
 */
export async function bisect(
  request: BisectRequest,
  tell: (event: BisectEvent) => void,
  signal: AbortSignal,
): Promise<BisectResult> {
  const bad = await request.kernelAt(request.bad);
  await makePlan({ ...request.run, kernels: [bad] });
  requireToolsFor([bad]);
  const search = await openSearch(request);
  const tests = new Map<string, Tested>();
  const test = async (commit: Commit, left?: string): Promise<Tested> => {
    signal.throwIfAborted();
    tell({ type: 'testing', commit, ...(left === undefined ? {} : { left }) });
    const tested = await testCommit(commit, request, tell, signal);
    tests.set(commit.id, tested);
    tell({ type: 'tested', step: tested.step });
    return tested;
  };
  try {
    await checkEnds(search, test);
    let state: SearchState = await search.start();
    while (state.kind === 'test') {
      const { step } = await test(state.commit, state.left);
      state = await search.mark(state.commit, step.mark);
    }
    const steps = [...tests.values()].map(({ step }) => step);
    if (state.kind === 'narrowed') return { steps, suspects: state.suspects };
    const tested = tests.get(state.culprit.id);
    return { steps, suspects: [], ...(tested && { culprit: { commit: state.culprit, ...tested } }) };
  } finally {
    await search.close();
  }
}

interface Tested {
  readonly step: BisectStep;
  /** of the first case that failed */
  readonly trace?: CaseTrace;
}

async function checkEnds(search: Search, test: (commit: Commit) => Promise<Tested>): Promise<void> {
  const ends = [
    ['good', search.good],
    ['bad', search.bad],
  ] as const;
  for (const [wanted, commit] of ends) {
    const { mark, why = '' } = (await test(commit)).step;
    if (mark === wanted) continue;
    const name = `the ${wanted} commit ${commit.id.slice(0, 12)}`;
    const did = { good: 'passes', bad: `fails: ${why}`, skip: `can't be tested: ${why}` }[mark];
    throw new UsageError(`${name} ${did}`, REMEDY[`${wanted} ${mark}`]);
  }
}

const REMEDY: Readonly<Record<string, string>> = {
  'good bad': 'name an older commit with --good, or a scenario that passes there',
  'bad good': 'name a commit that fails with --bad; does the scenario ask for what is broken?',
  'good skip': 'name another commit with --good, or bring what it lacks by --patches or --kernel',
  'bad skip': 'name another commit with --bad, or bring what it lacks by --patches or --kernel',
};

async function testCommit(
  commit: Commit,
  request: BisectRequest,
  tell: (event: BisectEvent) => void,
  signal: AbortSignal,
): Promise<Tested> {
  const elapsed = stopwatch();
  const step = (mark: Mark, why?: string, runDir?: string): BisectStep => ({
    commit,
    mark,
    ...(why === undefined ? {} : { why }),
    milliseconds: elapsed(),
    ...(runDir === undefined ? {} : { runDir }),
  });
  try {
    const kernels = [await request.kernelAt(commit.id)];
    const subscriber = {
      started: () => undefined,
      standing: () => undefined,
      event: (event: CaseEvent) => tell({ type: 'case', event }),
    };
    const outcome = await run({ ...request.run, kernels }, subscriber, signal);
    signal.throwIfAborted();
    const { mark, why, trace } = markOf(outcome);
    return { step: step(mark, why, outcome.runDir), ...(trace && { trace }) };
  } catch (error) {
    if (!saysNothing(error)) throw error;
    return { step: step('skip', error.message.split('\n')[0]) };
  }
}

/** What a run says of its kernel: one failure makes it bad; where nothing was asked it says nothing. */
export function markOf({ traces }: Pick<RunOutcome, 'traces'>): {
  mark: Mark;
  why?: string;
  trace?: CaseTrace;
} {
  let infra: CaseTrace | undefined;
  let skip: CaseTrace | undefined;
  let wasAsked = false;
  for (const trace of traces) {
    if (trace.verdict === 'fail') return { mark: 'bad', why: whyOf(trace), trace };
    if (trace.verdict === 'infra') infra ??= trace;
    else if (trace.verdict === 'skip') skip ??= trace;
    else wasAsked = true;
  }
  const unasked = infra ?? (wasAsked ? undefined : skip);
  return unasked ? { mark: 'skip', why: whyOf(unasked) } : { mark: 'good' };
}

function whyOf({ case: { id }, reason, verdict }: CaseTrace): string {
  return `${id}: ${(reason ?? verdict).split('\n')[0] ?? ''}`;
}

/** Whether a commit just can't be tested: it does not build, a patch does not apply. On another it may be different. */
function saysNothing(error: unknown): error is Error {
  return error instanceof KernelUnfit || (error instanceof RigError && error.stage === 'kernel');
}
