import { execa } from 'execa';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RigError, UsageError } from '../../base/errors.js';
import { silent } from '../../base/progress.js';
import { chooseProfile, KERNEL_TREE } from '../../kernel/index.js';
import type { CaseTrace, Verdict } from '../../trace/trace.js';
import type { RunOutcome, RunRequest } from '../index.js';
import { KernelUnfit } from '../prepare.js';
import { bisect, type BisectRequest } from './bisect.js';

const answers = vi.hoisted(() => new Map<string, unknown>());

/** Instead of guests: what was said of the commit before. */
vi.mock('../index.js', () => ({
  run: ({ kernels }: RunRequest): Promise<Partial<RunOutcome>> => {
    const revision = kernels[0]?.source.git?.revision ?? '';
    const answer = answers.get(revision) ?? 'pass';
    if (answer instanceof Error) return Promise.reject(answer);
    const trace = {
      verdict: answer as Verdict,
      reason: `it is a ${answer as Verdict}`,
      case: { id: 'a case' },
    };
    return Promise.resolve({ traces: [trace as CaseTrace], runDir: `/runs/${revision}` });
  },
}));

let tree: string;
let commits: string[];

beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), 'cxlrig-bisect-test-'));
  await git('init', '-q', '-b', 'main');
  await writeFile(join(tree, 'Kconfig'), '');
  await writeFile(join(tree, 'Makefile'), '');
  commits = [];
  for (let number = 0; number <= 8; number += 1) {
    await writeFile(join(tree, 'changed'), `${number}`);
    await git('add', '-A');
    await git('commit', '-q', '-m', `change ${number}`);
    commits.push(await git('rev-parse', 'HEAD'));
  }
  answers.clear();
});

afterEach(() => rm(tree, { recursive: true, force: true }));

describe('a bisection', () => {
  it('tries both ends, skips what can not be tested, and gives the culprit with its failing case', async () => {
    brokenFrom(6);
    answers.set(commits[4] ?? '', new RigError('kernel', 'does not build'));
    const events: string[] = [];
    const result = await bisect(
      request(),
      ({ type }) => void events.push(type),
      new AbortController().signal,
    );
    expect(result.culprit).toMatchObject({
      commit: { id: commits[6], subject: 'change 6' },
      step: { mark: 'bad', why: 'a case: it is a fail', runDir: `/runs/${commits[6] ?? ''}` },
      trace: { verdict: 'fail' },
    });
    expect(result.steps.slice(0, 2).map(({ commit }) => commit.subject)).toEqual(['change 0', 'change 8']);
    expect(result.steps.filter(({ mark }) => mark === 'skip')).toMatchObject([
      { commit: { subject: 'change 4' }, why: 'does not build' },
    ]);
    expect(events.filter((type) => type === 'tested')).toHaveLength(result.steps.length);
  });

  it('names the suspects when the culprit is among what can not be tested', async () => {
    brokenFrom(6);
    answers.set(commits[6] ?? '', new KernelUnfit(new UsageError('x.patch does not apply')));
    const { culprit, suspects } = await bisect(request(), () => undefined, new AbortController().signal);
    expect(culprit).toBeUndefined();
    expect(suspects.map(({ subject }) => subject).sort()).toEqual(['change 6', 'change 7']);
  });

  it('is refused when the good end fails, the bad one passes, or one can not be tested', async () => {
    const refusal = (): Promise<unknown> =>
      bisect(request(), () => undefined, new AbortController().signal).catch((error: unknown) => error);
    expect(await refusal()).toMatchObject({
      message: expect.stringMatching(/^the bad commit \w+ passes$/) as string,
    });
    brokenFrom(0);
    expect(await refusal()).toMatchObject({
      message: expect.stringMatching(/^the good commit \w+ fails: a case: it is a fail$/) as string,
    });
    answers.set(commits[0] ?? '', new RigError('kernel', 'does not build'));
    expect(await refusal()).toMatchObject({
      message: expect.stringMatching(/^the good commit \w+ can't be tested: does not build$/) as string,
    });
    expect(await refusal()).toBeInstanceOf(UsageError);
  });

  it('ends when the machine is not fit, for no other commit would do', async () => {
    answers.set(commits[0] ?? '', new RigError('host', 'QEMU is missing'));
    await expect(bisect(request(), () => undefined, new AbortController().signal)).rejects.toThrow(
      'QEMU is missing',
    );
  });

  it('is refused before anything is built when the scenario is invalid', async () => {
    const wrong = { ...request(), run: { ...request().run, scenarios: ['current/no-such'] } };
    await expect(bisect(wrong, () => undefined, new AbortController().signal)).rejects.toThrow(UsageError);
  });
});

function brokenFrom(number: number): void {
  for (const id of commits.slice(number)) answers.set(id, 'fail');
}

function request(): BisectRequest {
  return {
    tree,
    good: commits[0] ?? '',
    bad: 'main',
    firstParent: false,
    kind: KERNEL_TREE,
    kernelAt: (revision) => chooseProfile({ kernelTree: tree, revision }),
    run: {
      scenarios: ['current/cxl-cli'],
      jobs: 1,
      retries: 0,
      bail: 1,
      keepOnFailure: false,
      out: '/runs',
      command: [],
      progress: silent,
    },
  };
}

async function git(...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=A Developer', '-c', 'user.email=developer@example.org'];
  return (await execa('git', [...identity, ...args], { cwd: tree })).stdout;
}
