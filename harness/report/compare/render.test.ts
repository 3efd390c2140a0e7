import { describe, expect, test } from 'vitest';
import { sampleRun } from '../testing/sample-run.js';
import { fixtureCase, twoKernels } from '../testing/fixture-run.js';
import type { CaseTrace } from '../../trace/trace.js';
import { compare } from './compare.js';
import type { ComparedOutcome, Comparison } from './comparison.js';
import { comparisonMail } from './mail.js';
import { comparisonMarkdown } from './markdown.js';
import { sidesOf, type Side } from './side.js';
import { comparisonText } from './text.js';

interface Compared {
  readonly comparison: Comparison;
  readonly traceOf: (outcome: ComparedOutcome) => CaseTrace | undefined;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Debian's 6.12 and 7.3, as they are. */
async function debian(wanted = { base: 'debian-stable', head: 'stock' }): Promise<Compared> {
  const { base, head } = sidesOf([await twoKernels()], wanted);
  return compared(base, head);
}

/** A case that passes on the base and panics on the head, and one that the head alone fails. */
async function broken(): Promise<Compared> {
  const { summary } = await sampleRun();
  const { base, head } = sidesOf([{ dir: '/runs/one', summary, traces: [] }], {});
  const panic = await fixtureCase('panic');
  const zone = await fixtureCase('wrong-zone');
  const fine = [panic, zone].map((trace) => {
    const well: Writable<CaseTrace> = { ...trace, verdict: 'pass' as const, splats: [], steps: [] };
    delete well.failure;
    delete well.reason;
    return well;
  });
  const byId = (some: readonly CaseTrace[]): Side['cases'] =>
    new Map(some.map((trace) => [trace.case.id, trace]));
  return compared({ ...base, cases: byId(fine) }, { ...head, cases: byId([panic, zone]) });
}

function compared(base: Side, head: Side): Compared {
  return {
    comparison: compare(base, head),
    traceOf: ({ key, verdict }) =>
      [...base.cases.values(), ...head.cases.values()].find(
        (trace) => trace.case.id === key && trace.verdict === verdict,
      ),
  };
}

describe('two real kernels', () => {
  test('differ in what 7.3 brought, which is told by its reason and once', async () => {
    const { comparison } = await debian();
    const text = comparisonText(comparison, { color: false });
    expect(text).toContain('head  7.3.4+deb13-cloud-amd64 (stock: Debian');
    expect(text).toContain('1 new ability\n  daxX.Y/state came with 7.3\n    current/dax-state-mixed\n');
    expect(text).toMatch(/daxDevices\.dax-ram@1\.0\.state: absent -> offline; after step \d/);
    expect(text).toMatch(/1 case alike: no regression\n$/);
    expect(text).not.toContain('iomem');
    expect(text).not.toContain('refuse-size');
    expect(comparison.exitCode).toBe(0);
  });

  test('the other way round lose an ability, which is a regression', async () => {
    const { comparison } = await debian({ base: 'stock', head: 'debian-stable' });
    expect(comparison.exitCode).toBe(1);
    expect(comparisonText(comparison, { color: false })).toMatch(/1 case alike: 1 lost ability\n$/);
    expect(comparisonMarkdown(comparison)).toContain('### ❌ cxlrig compare: 1 lost ability\n');
  });
});

describe('a regression', () => {
  test('is shown at a terminal with where, what and the artifacts', async () => {
    const { comparison } = await broken();
    const text = comparisonText(comparison, { color: false });
    expect(text).toMatch(/^regression +panic /m);
    expect(text).toContain('  pass -> fail: Kernel panic - not syncing: sysrq triggered crash');
    expect(text).toMatch(/differs +splat on the head only: Kernel panic/);
    expect(text).toMatch(/expected +Normal\n +received +Movable\n/);
    expect(text).toMatch(/artifacts .*cases\/panic/);
  });

  test('stands open in a comment, with its splat, and no text of it is markup', async () => {
    const { comparison } = await broken();
    const text = comparisonMarkdown(comparison);
    expect(text).toMatch(/^#### 2 regressions\n/m);
    expect(text).toMatch(/\n```\nKernel panic - not syncing: sysrq triggered crash\n/);
    const hostile: Comparison = {
      ...comparison,
      cases: comparison.cases.map((one) => ({
        ...one,
        id: '`<script>`',
        ...(one.head && { head: { ...one.head, reason: '</details><img src=x> @all #1 [a](b)' } }),
      })),
    };
    const nasty = comparisonMarkdown(hostile).replace(/^```$.*?^```$/gms, '');
    expect(nasty).not.toMatch(/<script|<img|<\/details>|[^\\]\[a\]|@all|#1 /);
  });

  test('goes to a list with what to type, in lines of at most 75 columns but for those to copy', async () => {
    const { comparison, traceOf } = await broken();
    const text = await comparisonMail(comparison, traceOf);
    expect(text).toContain('The same scenarios on both kernels: 2 regressions.\n');
    expect(text).toMatch(/\nbase +7\.3\.4.*\n(?: {9}.*\n)*head +6\.12/);
    expect(text).toMatch(/REGRESSION: panic\n/);
    expect(text).toMatch(/# echo c > \/proc\/sysrq-trigger/);
    expect(text).toMatch(/\nTo repeat it:\n {4}cxlrig run current --kernel stock/);
    const prose = text.split('\n').filter((line) => !/^ {4}/.test(line));
    expect(prose.filter((line) => line.length > 75)).toEqual([]);
  });
});

test('the list is told of behaviour that differs, and how to repeat it', async () => {
  const { comparison, traceOf } = await debian();
  const text = await comparisonMail(comparison, traceOf);
  expect(text).toContain('no regression.');
  expect(text).toContain('machine  QEMU 10.0.2 (tcg)');
  expect(text).toMatch(/1 case with other behaviour and the same verdict:\n/);
  const [prose = '', commands] = text.split('To repeat it:\n');
  expect(prose.split('\n').filter((line) => line.length > 75)).toEqual([]);
  expect(commands).toContain('cxlrig run current --kernel debian-stable --kernel stock');
});

test('cases that were run on one kernel alone, or that the rig failed on, are told by the reason', async () => {
  const { base, head } = sidesOf([await twoKernels()], { base: 'debian-stable', head: 'stock' });
  const infra = [...head.cases].map(([id, trace]): [string, CaseTrace] => [
    id,
    { ...trace, verdict: 'infra', reason: 'QEMU did not start\nand more' },
  ]);
  const { comparison } = compared(
    { ...base, cases: new Map([...base.cases].slice(1)) },
    { ...head, cases: new Map(infra) },
  );
  expect(comparison.exitCode).toBe(3);
  const text = comparisonText(comparison, { color: false });
  expect(text).toMatch(
    /\n3 cases not compared\n {2}QEMU did not start\n(?: {4}current.*\n){2} {2}not run on the base\n {4}current/,
  );
  expect(text).toMatch(/: nothing could be compared\n$/);
  expect(comparisonMarkdown(comparison)).toContain('- QEMU did not start\n  - `current/');
});
