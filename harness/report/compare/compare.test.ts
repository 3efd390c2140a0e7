import { describe, expect, test } from 'vitest';
import { fixtureCase } from '../testing/fixture-run.js';
import { sampleRun } from '../testing/sample-run.js';
import type { CaseTrace, RunSummary, StepTrace, Verdict } from '../../trace/trace.js';
import { changeOf } from './classify.js';
import { compare } from './compare.js';
import { CHANGES, comparisonSchema, type Comparison } from './comparison.js';
import { sidesOf } from './side.js';

/** The traces of two kernels as one run has them. */
async function comparison(base: readonly CaseTrace[], head: readonly CaseTrace[]): Promise<Comparison> {
  const { summary } = await sampleRun();
  const of = (traces: readonly CaseTrace[], kernel: string): CaseTrace[] =>
    traces.map((trace) => ({
      ...trace,
      case: { ...trace.case, kernel, id: `${trace.case.id.replace(/ @\S+$/, '')} @${kernel}` },
    }));
  const traces = [...of(base, 'stock'), ...of(head, 'debian-stable')];
  const sides = sidesOf([{ dir: '/runs/one', summary, traces }], {});
  return compare(sides.base, sides.head);
}

async function passing(): Promise<CaseTrace> {
  return fixtureCase('interleave');
}

/** As judged otherwise, at its last expect. */
function failed(trace: CaseTrace, message: string, verdict: Verdict = 'fail'): CaseTrace {
  const last = trace.steps.findLast(({ kind }) => kind === 'expect')?.id;
  const failure = {
    message,
    position: trace.case.position,
    blame: 'kernel' as const,
    expected: 1,
    received: 0,
  };
  return {
    ...trace,
    verdict,
    reason: message,
    failure,
    steps: trace.steps.map((step) =>
      step.id === last ? { ...step, outcome: 'fail' as const, failure } : step,
    ),
  };
}

function withSplat(trace: CaseTrace, fingerprint: string): CaseTrace {
  return {
    ...trace,
    splats: [
      { kind: 'WARN', title: `WARNING in ${fingerprint}`, fingerprint, text: 'WARNING: ...', allowed: false },
    ],
  };
}

function withSteps(trace: CaseTrace, change: (step: StepTrace) => StepTrace): CaseTrace {
  return { ...trace, steps: trace.steps.map(change) };
}

async function onlyChange(base: CaseTrace, head: CaseTrace): Promise<string> {
  const { counts, exitCode } = await comparison([base], [head]);
  return `${Object.keys(counts).join(' ')}, exit code ${exitCode}`;
}

describe('a comparison of two kernels calls', () => {
  test.each<[Verdict, Verdict, string]>([
    ['pass', 'fail', 'regression, exit code 1'],
    ['pass', 'skip', 'lost-ability, exit code 1'],
    ['skip', 'fail', 'new-failure, exit code 1'],
    ['pass', 'known-bug', 'known-regression, exit code 0'],
    ['known-bug', 'fixed', 'fix, exit code 0'],
    ['fail', 'pass', 'fix, exit code 0'],
    ['skip', 'pass', 'new-ability, exit code 0'],
    ['fail', 'skip', 'not-asked, exit code 0'],
    ['pass', 'infra', 'not-comparable, exit code 3'],
    ['infra', 'fail', 'not-comparable, exit code 3'],
    ['pass', 'pass', 'same, exit code 0'],
    ['skip', 'skip', 'same, exit code 0'],
    ['fixed', 'pass', 'same, exit code 0'],
  ])('%s -> %s a %s', async (was, is, expected) => {
    const trace = await passing();
    expect(await onlyChange({ ...trace, verdict: was }, { ...trace, verdict: is })).toBe(expected);
  });

  test('a declared race the same, whichever of them it showed on', async () => {
    const trace = await passing();
    const shown: CaseTrace = { ...trace, verdict: 'known-bug', isRace: true };
    for (const [was, is] of [
      [trace, shown],
      [shown, trace],
      [shown, shown],
    ] as const)
      expect(await onlyChange(was, is)).toBe('same, exit code 0');
    expect(await onlyChange(shown, failed(trace, 'the zone is Normal'))).toContain('changed-failure');
  });

  test('every pair of verdicts something', () => {
    const verdicts: Verdict[] = ['pass', 'fail', 'skip', 'known-bug', 'fixed', 'infra'];
    for (const was of verdicts)
      for (const is of verdicts) expect(Object.keys(CHANGES)).toContain(changeOf(was, is));
  });

  test('a failure in the same way no difference, however long it took and wherever the blocks were', async () => {
    const trace = await passing();
    const before = failed(
      trace,
      'state of /sys/devices/system/memory/memory186 is offline (waited 1.0 s, 2 looks)',
    );
    const after = failed(
      trace,
      'state of /sys/devices/system/memory/memory190 is offline (waited 10.2 s, 41 looks)',
    );
    expect(await onlyChange(before, after)).toBe('same, exit code 0');
  });

  test('a failure in another way a changed failure, which decides nothing', async () => {
    const trace = await passing();
    expect(await onlyChange(failed(trace, 'the zone is Normal'), failed(trace, 'no dax device came'))).toBe(
      'changed-failure, exit code 0',
    );
  });

  test('a splat of the head alone a regression, though the case failed on the base as well', async () => {
    const base = failed(await passing(), 'the zone is Normal');
    expect(await onlyChange(base, withSplat(base, 'kmem_remove'))).toBe('regression, exit code 1');
    expect(await onlyChange(withSplat(base, 'a'), withSplat(base, 'b'))).toBe('changed-failure, exit code 0');
  });

  test('a case that only one of them was asked not comparable', async () => {
    const trace = await passing();
    const { cases, exitCode } = await comparison([trace], []);
    expect(cases).toMatchObject([{ change: 'not-comparable', base: { verdict: 'pass' } }]);
    expect(exitCode).toBe(3);
  });
});

describe('of two kernels that came to the same verdict it tells', () => {
  test('nothing when they did the same', async () => {
    const trace = await passing();
    expect((await comparison([trace], [trace])).cases).toEqual([]);
  });

  test('nothing when devices have other numbers', async () => {
    const trace = await passing();
    const renumbered = JSON.parse(
      JSON.stringify(trace).replace(/\bmem([01])\b/g, (_, n: string) => `mem${1 - Number(n)}`),
    ) as CaseTrace;
    expect(JSON.stringify(renumbered)).not.toBe(JSON.stringify(trace));
    expect((await comparison([trace], [renumbered])).cases).toEqual([]);
  });

  test('another errno of a line that may fail in several ways', async () => {
    const trace = await fixtureCase('refuse-target');
    const refused = trace.steps.find(({ lines }) => lines.some(({ errno }) => errno === 'ENODEV'));
    expect(refused).toBeDefined();
    const head = withSteps(trace, (step) =>
      step.id === refused?.id
        ? {
            ...step,
            lines: step.lines.map((line) => (line.errno === 'ENODEV' ? { ...line, errno: 'EINVAL' } : line)),
          }
        : step,
    );
    const { cases, exitCode } = await comparison([trace], [head]);
    expect(cases).toMatchObject([
      { change: 'behaviour', differences: [{ kind: 'answer', base: 'ENODEV', head: 'EINVAL' }] },
    ]);
    expect(cases[0]?.differences).toHaveLength(1);
    expect(exitCode).toBe(0);
  });

  test('what is otherwise in the state after an expect, once, with its step and a name without a number', async () => {
    const trace = await passing();
    const head = withSteps(trace, (step) =>
      step.kind === 'bind'
        ? {
            ...step,
            changes: step.changes.map((change) =>
              change.keys[0] === 'daxDevices' && typeof change.after === 'object'
                ? { ...change, after: { ...change.after, align: 4096 } }
                : change,
            ),
          }
        : step,
    );
    const { cases } = await comparison([trace], [head]);
    expect(cases[0]?.change).toBe('behaviour');
    expect(cases[0]?.differences).toMatchObject([
      { kind: 'state', path: 'daxDevices.dax-ram@1,2.0.align', base: 2097152, head: 4096 },
    ]);
  });

  test('nothing of what was otherwise before the first step', async () => {
    const trace = await passing();
    const head = {
      ...trace,
      initialState: { ...trace.initialState, autoOnlineBlocks: 'online_kernel' },
    } as CaseTrace;
    expect((await comparison([trace], [head])).cases).toEqual([]);
  });

  test('a duration that is several times as long and seconds longer, with the step that took it', async () => {
    const trace = await passing();
    const slow = withSteps(trace, (step) =>
      step.kind === 'bind' ? { ...step, milliseconds: step.milliseconds + 60_000 } : step,
    );
    const { cases, exitCode } = await comparison([trace], [slow]);
    // with one case alone, its own pace would explain it all
    expect(cases).toEqual([]);
    const others = ['a', 'b'].map((id) => ({ ...trace, case: { ...trace.case, id } }));
    const several = await comparison([trace, ...others], [slow, ...others]);
    expect(several.cases).toMatchObject([{ change: 'timing', differences: [{ kind: 'timing' }] }]);
    expect(several.cases[0]?.differences[0]).toMatchObject({
      step: expect.stringContaining('bind') as string,
    });
    expect(exitCode).toBe(0);
  });

  test('that a kernel is slower in everything as one fact, and not of every case', async () => {
    const trace = await passing();
    const traces = ['a', 'b', 'c'].map((id) => ({ ...trace, case: { ...trace.case, id } }));
    const slow = traces.map((one) =>
      withSteps(one, (step) => ({ ...step, milliseconds: step.milliseconds * 9 })),
    );
    const { cases, pace } = await comparison(traces, slow);
    expect(cases).toEqual([]);
    expect(pace).toBeCloseTo(9);
  });
});

describe('the sides of a comparison', () => {
  async function runOf(kernels: readonly string[], dir: string) {
    const { summary, traces } = await sampleRun();
    const some: RunSummary = {
      ...summary,
      environment: {
        ...summary.environment,
        kernels: summary.environment.kernels.filter(({ profile }) => kernels.includes(profile)),
      },
    };
    return { dir, summary: some, traces: traces.filter((trace) => kernels.includes(trace.case.kernel)) };
  }

  test('are the kernels of two runs, which may have one name', async () => {
    const { base, head } = sidesOf([await runOf(['stock'], '/before'), await runOf(['stock'], '/after')], {});
    expect([base.kernel.run, head.kernel.run]).toEqual(['/before', '/after']);
    expect([...base.cases.keys()]).toEqual([...head.cases.keys()]);
    expect([...base.cases.keys()].join()).not.toContain('@stock');
  });

  test('of one run are its kernels in their order, or in the one that is asked for', async () => {
    const run = await runOf(['stock', 'debian-stable'], '/one');
    expect(sidesOf([run], {}).head.kernel.profile).toBe('debian-stable');
    expect(sidesOf([run], { base: 'debian-stable' }).head.kernel.profile).toBe('stock');
  });

  test('need two kernels', async () => {
    const run = await runOf(['stock'], '/one');
    expect(() => sidesOf([run], {})).toThrow(/has the kernels stock/);
    expect(() => sidesOf([run, run], { base: 'stok' })).toThrow(/no kernel "stok"/);
  });
});

test('a comparison is what its schema says', async () => {
  const { summary, traces } = await sampleRun();
  const { base, head } = sidesOf([{ dir: '/one', summary, traces }], {});
  const result = compare(base, head);
  expect(result.cases.length).toBeGreaterThan(0);
  expect(comparisonSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
});
